// Counts down how long the places are held. The page says until when without it.

const line = document.querySelector("[data-countdown]");
if (line) count(line, Date.parse(line.dataset.countdown), line.dataset.left);

function count(line, until, words) {
  // Readers hear the sentence of the page, and a new one each minute.
  const live = document.createElement("span");
  live.className = "visually-hidden";
  live.setAttribute("aria-live", "polite");
  const seen = document.createElement("span");
  seen.setAttribute("aria-hidden", "true");
  line.replaceChildren(seen, live);
  let said = null;
  const tick = () => {
    const left = Math.max(0, Math.round((until - Date.now()) / 1000));
    const text = words.replace("{time}", clock(left));
    seen.textContent = text;
    line.toggleAttribute("data-hurry", left <= 60);
    if (said === null || said - left >= 60) {
      live.textContent = text;
      said = left;
    }
    if (left === 0) {
      clearInterval(timer);
      // The server needs a moment to notice it, too.
      setTimeout(() => location.assign(location.pathname), 3_000);
    }
  };
  const timer = setInterval(tick, 1_000);
  tick();
}

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
