// Shows how an event will look as it is written. Without this script it is looked at once it is saved.

const PAUSE_MS = 300;
const form = document.querySelector("form[data-preview]");
const place = document.getElementById("preview");
const shown = document.getElementById("preview-shown");
let timer;
let newest = 0;

async function show() {
  const number = ++newest;
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.dataset.preview, { method: "POST", body }).catch(() => null);
  // The session may have ended, or more may have been typed.
  if (!answer?.ok || answer.redirected || number !== newest) return;
  shown.innerHTML = await answer.text();
  place.hidden = false;
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(show, PAUSE_MS);
});
show();
