import { ContactSynchronizer, type KithOptions, openKith } from '@kith/client'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { WebSocket } from 'ws'
import { print, type Row, rounded } from './report.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

const contactCount = 10_000

/** (d) 10,000 contacts with 3 levels and a follow each by one `sync`; then the same call again. */
export async function bulkSync(): Promise<void> {
  const server = await startServerProcess()
  try {
    print(`(d) ${contactCount} contacts, 3 levels and a follow each`, await syncOfThousands(server))
  } finally {
    await server.stop()
  }
}

/** The same on a server that runs. */
export async function syncOfThousands(server: ServerProcess): Promise<Row[]> {
  let bytesSent = 0
  class CountingSocket extends WebSocket {
    override send(data: Uint8Array): void {
      bytesSent += data.length
      super.send(data)
    }
  }
  const kith = await openKith({
    url: server.url.replace(/^http/, 'ws'),
    user: 'alice',
    token: () => server.token('alice'),
    indexedDB: new IDBFactory(),
    IDBKeyRange,
    WebSocket: CountingSocket as unknown as NonNullable<KithOptions['WebSocket']>,
  })
  try {
    await kith.whenSynced()
    const synchronizer = new ContactSynchronizer(kith)
    synchronizer.subscribe(true)
    synchronizer.setProfileAccessLevels([1, 2, 3])
    const book = Array.from({ length: contactCount }, (_, index) => `+1212${String(5550000 + index).padStart(7, '0')}`)
    const rows: Row[] = []
    for (const what of ['first', 'again']) {
      bytesSent = 0
      const begun = performance.now()
      const { added, unchanged } = await synchronizer.sync(book)
      const local = performance.now() - begun
      const changesBytes = kith.unsent > 0 ? 'some' : 'none'
      await kith.whenSynced()
      rows.push({
        sync: what,
        added,
        unchanged,
        'to send': changesBytes,
        'ms until on the device': rounded(local),
        'ms until whenSynced': rounded(performance.now() - begun),
        'bytes sent, barriers included': bytesSent,
      })
    }
    return rows
  } finally {
    await kith.close()
  }
}
