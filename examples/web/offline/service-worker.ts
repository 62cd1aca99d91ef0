/**
 * Caches the files of the page, so that it opens without the server. The page itself comes from the server if the server
 * answers, and otherwise from the cache. Files with a hash in their names come from the cache. All other requests are not
 * intercepted: tokens, the API, websockets.
 */
declare const self: ServiceWorkerGlobalScope

/** All files of one build, and a name for them. `vite.config.ts` inserts both here. */
declare const files: readonly string[]
declare const build: string

const cacheName = `kith-demo:${build}`
/** A server that has not answered within this time is treated as unavailable. */
const patienceMs = 3000

self.addEventListener('install', event => {
  event.waitUntil(store().then(() => self.skipWaiting()))
})

self.addEventListener('activate', event => {
  event.waitUntil(deleteOthers().then(() => self.clients.claim()))
})

self.addEventListener('fetch', event => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== self.location.origin) return
  if (request.mode === 'navigate' && pathname === '/') event.respondWith(pageFor(request))
  else if (files.includes(pathname)) event.respondWith(kept(request))
})

async function store(): Promise<void> {
  const cache = await caches.open(cacheName)
  await cache.addAll(files.map(file => new Request(file, { cache: 'reload' })))
}

async function deleteOthers(): Promise<void> {
  const names = await caches.keys()
  await Promise.all(
    names.filter(name => name.startsWith('kith-demo:') && name !== cacheName).map(name => caches.delete(name)),
  )
}

async function pageFor(request: Request): Promise<Response> {
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(patienceMs) })
    if (response.ok) return response
  } catch {
    // The server is unavailable.
  }
  return (await caches.match('/', { cacheName })) ?? Response.error()
}

async function kept(request: Request): Promise<Response> {
  return (await caches.match(request, { cacheName })) ?? fetch(request)
}
