// Shows a page of our own when the network is gone. It keeps that page and nothing else: what is
// private never enters a cache.
const CACHE = 'offline-1';
const PAGES = ['/offline.html', '/offline.css'];

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(PAGES)));
  self.skipWaiting();
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) =>
        Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))),
      ),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.mode === 'navigate' && request.method === 'GET') {
    event.respondWith(fetch(request).catch(() => caches.match('/offline.html')));
  } else if (new URL(request.url).pathname === '/offline.css') {
    event.respondWith(fetch(request).catch(() => caches.match('/offline.css')));
  }
});
