// Inserts an event where the script stands: <script async src=".../widget.js" data-event="EVENT"></script>
(() => {
  const script = document.currentScript;
  if (!script?.dataset.event) return;
  const frame = document.createElement("iframe");
  frame.src = new URL(`/widget/${encodeURIComponent(script.dataset.event)}`, script.src).href;
  frame.title = script.dataset.title ?? "Tickets";
  frame.width = "100%";
  frame.height = script.dataset.height ?? "220";
  frame.loading = "lazy";
  frame.style.border = "0";
  script.after(frame);
})();
