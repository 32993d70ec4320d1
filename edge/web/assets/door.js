// The door: sends codes without loading the page again, scans where the browser can, says the verdict by sound, and keeps
// what it could not ask about. Without this script the form does the work.
const form = document.getElementById("check-in");
const verdict = document.getElementById("verdict");
const counter = document.getElementById("count");
const input = document.getElementById("code");
const KEEP_MS = 60 * 60 * 1000;
const store = `door:${location.pathname}`;

let waiting = [];
try { waiting = JSON.parse(sessionStorage.getItem(store) ?? "[]").filter((one) => Date.now() - one.at < KEEP_MS); } catch { /* nothing was kept */ }

// Two notes up for a welcome, one long low one for a refusal, two short ones for what is not decided.
const NOTES = { ADMITTED: [[660, 0.09], [880, 0.16]], WAITING: [[440, 0.07], [440, 0.07]], ALREADY_ADMITTED: [[330, 0.15], [330, 0.25]] };
let sound;
function play(result) {
  sound ??= window.AudioContext ? new AudioContext() : null;
  if (!sound) return;
  let at = sound.currentTime;
  for (const [pitch, seconds] of NOTES[result] ?? [[160, 0.5]]) {
    const tone = sound.createOscillator();
    const loudness = sound.createGain();
    tone.type = result === "ADMITTED" ? "sine" : "square";
    tone.frequency.value = pitch;
    loudness.gain.value = 0.15;
    tone.connect(loudness).connect(sound.destination);
    tone.start(at);
    tone.stop(at + seconds);
    at += seconds + 0.03;
  }
}

function show(result, words, who) {
  verdict.dataset.result = result;
  verdict.querySelector(".verdict-words").textContent = words;
  verdict.querySelector(".verdict-who").textContent = who;
  play(result);
  navigator.vibrate?.(result === "ADMITTED" ? 80 : [80, 60, 80]);
  if (result === "ADMITTED") {
    counter.dataset.count = String(Number(counter.dataset.count) + 1);
    counter.textContent = Number(counter.dataset.count).toLocaleString(document.documentElement.lang);
  }
}

function keep() {
  try { sessionStorage.setItem(store, JSON.stringify(waiting)); } catch { /* it is kept in memory */ }
  const list = document.getElementById("waiting-list");
  list.replaceChildren(...waiting.map((one) => {
    const item = document.createElement("li");
    item.textContent = `…${one.code.slice(-8)} ${new Date(one.at).toLocaleTimeString(document.documentElement.lang)}${one.words ? ` · ${one.words}` : ""}`;
    return item;
  }));
  document.getElementById("waiting").hidden = waiting.length === 0;
}

// A code that is asked about again, because no answer came, has the same key: who was admitted then is not refused now.
async function ask({ code, key }) {
  const body = new URLSearchParams(new FormData(form));
  body.set("code", code);
  body.set("idempotency_key", key);
  const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" }, signal: AbortSignal.timeout(8000) });
  if (answer.status >= 500 || answer.status === 429) throw new Error("later");
  // The session has ended: the page says so.
  if (!answer.ok || !answer.headers.get("content-type")?.startsWith("application/json")) { location.reload(); throw new Error("reload"); }
  return answer.json();
}

let busy = false;
async function check(code) {
  if (!code || busy) return;
  busy = true;
  form.setAttribute("aria-busy", "true");
  const one = waiting.find((one) => one.code === code && !one.words) ?? { code, key: crypto.getRandomValues(new Uint32Array(4)).join("-"), at: Date.now() };
  try {
    const { result, words, who } = await ask(one);
    waiting = waiting.filter((other) => other !== one);
    keep();
    show(result, words, who);
  } catch {
    if (!waiting.includes(one)) waiting.push(one);
    keep();
    show("WAITING", form.dataset.waiting, form.dataset.lost);
  } finally {
    busy = false;
    form.removeAttribute("aria-busy");
    // What was typed meanwhile stays.
    if (input.value.trim() === code) input.value = "";
    input.focus();
  }
}

let asking = false;
async function askAgain() {
  if (asking) return;
  asking = true;
  try {
    for (const one of waiting.filter((one) => !one.words)) {
      const { result, words, who } = await ask(one);
      if (result === "ADMITTED") waiting = waiting.filter((other) => other !== one);
      else one.words = `${words} ${who}`;
      keep();
      show(result, words, who);
    }
  } catch { /* it is asked again */ } finally { asking = false; }
}

form.addEventListener("submit", (event) => { event.preventDefault(); check(input.value.trim()); });
window.addEventListener("online", askAgain);
setInterval(askAgain, 3000);
keep();

const button = document.getElementById("scan");
const camera = document.getElementById("camera");
if ("BarcodeDetector" in window && navigator.mediaDevices) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    camera.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    camera.hidden = false;
    button.hidden = true;
    await camera.play();
    let last = "", seen = 0;
    setInterval(async () => {
      const [found] = await detector.detect(camera).catch(() => []);
      if (!found || (found.rawValue === last && Date.now() - seen < 4000)) return;
      [last, seen] = [found.rawValue, Date.now()];
      check(found.rawValue);
    }, 250);
  });
}

const files = [...document.querySelectorAll("link[href^='/assets/'], script[src^='/assets/']")].map((one) => one.href || one.src);
navigator.serviceWorker?.register(document.querySelector(".door").dataset.worker, { scope: "/door" })
  .then(() => navigator.serviceWorker.ready)
  .then(({ active }) => active.postMessage({ keep: [location.pathname, ...files] }))
  .catch(() => { /* the door works as long as the network does */ });
