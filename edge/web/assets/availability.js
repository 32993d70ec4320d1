// Shows how many tickets are left, as it changes: by server-sent events, or by asking the pages now and then where there are none.

const POLL_MS = 15_000;
const form = document.querySelector("form[data-live]");
if (form) watch(form);

function watch(form) {
  const source = new EventSource(`/v1/events/${encodeURIComponent(form.dataset.live)}/availability:stream`);
  const hear = (event) => show(form, JSON.parse(event.data));
  source.addEventListener("message", hear);
  source.addEventListener("availability", hear);
  // The browser connects again by itself unless the server refuses: then it is closed.
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) poll(form);
  });
  addEventListener("pagehide", () => source.close());
}

function poll(form) {
  setInterval(async () => {
    if (document.hidden) return;
    const answer = await fetch(form.dataset.asked).catch(() => null);
    if (answer?.ok) show(form, await answer.json());
  }, POLL_MS);
}

function show(form, availability) {
  const { leftOne, leftOther, none } = form.dataset;
  const language = document.documentElement.lang;
  const [plural, number] = [new Intl.PluralRules(language), new Intl.NumberFormat(language)];
  for (const { id, available } of availability.ticket_types) {
    const kind = form.querySelector(`[data-kind="${CSS.escape(id)}"]`);
    const words = kind?.querySelector("[data-available]");
    if (!words) continue;
    const left = Math.max(available ?? 0, 0);
    const text = plural.select(left) === "one" ? leftOne : leftOther;
    const said = left === 0 ? none : text.replace("{n}", number.format(left));
    if (words.textContent !== said) words.textContent = said;
    offer(kind.querySelector("select"), left);
  }
}

// What is gone cannot be chosen any more; what came back can, as far as the page offered it.
function offer(select, left) {
  for (const option of select.options) option.disabled = Number(option.value) > left;
  if (Number(select.value) > left) select.value = String(left);
  select.disabled = left === 0 || select.options.length < 2;
}
