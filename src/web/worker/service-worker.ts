/** Keeps the files of the page, all of one build, so that it works with the network off, the unpackers included. */

declare const FILES: readonly string[];
declare const BUILD: string;

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface Fetched extends Event {
  readonly request: globalThis.Request;
  respondWith(response: Promise<Response>): void;
}

self.addEventListener('install', (event) => {
  const kept = caches.open(BUILD).then((cache) => cache.addAll(FILES));
  (event as Extendable).waitUntil(kept);
});

self.addEventListener('activate', (event) => {
  const others = caches
    .keys()
    .then((names) =>
      Promise.all(
        names.filter((name) => name.startsWith('xen-elfpatch-') && name !== BUILD).map((name) => caches.delete(name)),
      ),
    );
  (event as Extendable).waitUntil(others);
});

self.addEventListener('fetch', (event) => {
  const { request } = event as Fetched;
  if (request.method !== 'GET') return;
  const kept = caches.open(BUILD).then((cache) => cache.match(request, { ignoreSearch: true }));
  (event as Fetched).respondWith(kept.then((found) => found ?? fetch(request)));
});
