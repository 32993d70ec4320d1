// Keeps the pages of the door and their files, so that a door that lost the network can be opened again. Codes are never
// answered from here: only the platform decides who comes in.
const NAME = "door-1";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// The first page is there before this is: it names itself and its files.
self.addEventListener("message", (event) => {
  event.waitUntil(caches.open(NAME).then((kept) => kept.addAll(event.data.keep)));
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const ours = url.origin === location.origin && (url.pathname.startsWith("/door") || url.pathname.startsWith("/assets/"));
  if (event.request.method !== "GET" || !ours) return;
  event.respondWith((async () => {
    const kept = await caches.open(NAME);
    try {
      const answer = await fetch(event.request);
      if (answer.ok && !answer.redirected) await kept.put(event.request, answer.clone());
      return answer;
    } catch (error) {
      const known = await kept.match(event.request, { ignoreVary: true });
      if (known) return known;
      throw error;
    }
  })());
});
