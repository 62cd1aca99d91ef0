import type { Page } from 'playwright-core'
import type { Demo } from './demo.ts'

/** Limits the storage of the site so that a few seconds fill it. Must be called before any data is stored. */
export async function limitStorage({ page, context, server }: Demo): Promise<void> {
  const session = await context.newCDPSession(page)
  await session.send('Storage.overrideQuotaForOrigin', { origin: server.url, quotaSize: 3_000_000 })
}

/** Fills all remaining storage, to the last bytes. */
export async function fillStorage(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const filler = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open('filler', 1)
      request.onupgradeneeded = () => request.result.createObjectStore('bytes', { autoIncrement: true })
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
    const isStored = (byteCount: number): Promise<boolean> =>
      new Promise(resolve => {
        const transaction = filler.transaction('bytes', 'readwrite')
        // Repetitive data would be stored compressed.
        const noise = new Uint8Array(byteCount)
        for (let at = 0; at < byteCount; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536))
        transaction.objectStore('bytes').add(noise)
        transaction.oncomplete = () => resolve(true)
        transaction.onabort = () => resolve(false)
      })
    for (const byteCount of [300_000, 50_000, 5_000, 500, 50]) while (await isStored(byteCount));
    filler.close()
  })
}

/** Frees the storage that `fillStorage` filled. */
export async function emptyStorage(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.deleteDatabase('filler')
        request.onsuccess = () => resolve()
        request.onerror = () => reject(request.error)
      }),
  )
}

/** From the next page on, the browser refuses to store data, until `allowStorage`. */
export async function refuseStorage({ context, page }: Demo, how: 'throws' | 'is silent'): Promise<void> {
  await context.addInitScript(how => {
    if (localStorage.getItem('refuses storage') === null) return
    const { open } = IDBFactory.prototype
    const mayStore = (): boolean => localStorage.getItem('refuses storage') === null
    IDBFactory.prototype.open = function (...of) {
      if (mayStore()) return open.apply(this, of)
      if (how === 'throws') throw new DOMException('The operation is insecure.', 'SecurityError')
      return new EventTarget() as IDBOpenDBRequest
    }
  }, how)
  await page.evaluate(() => localStorage.setItem('refuses storage', ''))
}

export async function allowStorage(page: Page): Promise<void> {
  await page.evaluate(() => localStorage.removeItem('refuses storage'))
}
