import assert from 'node:assert/strict'
import { ContactSynchronizer } from '@kith/client'
import { applyChanges, type KeyChange } from '@kith/shared'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { pinServer } from '../measure/cores.ts'
import { processorMs } from '../measure/processor-time.ts'
import { alternate, type Contestant, type Workload } from '../measure/rounds.ts'
import { ask, connectBare, startBareServer } from '../peers/bare.ts'
import { PeerDevice, type PeerName } from '../peers/peer-device.ts'
import { startPeers } from '../peers/peers.ts'
import { RawDevice } from '../raw-device.ts'
import { type Row, rounded } from '../report.ts'
import type { Listening, ServerProcess } from '../server-process.ts'
import { openClient, startKith } from './kith.ts'
import { type Size, sized } from './size.ts'

const levels = [1, 2, 3]

/** W5: a phone book of 10,000 contacts, with 3 levels and a follow each, until it is on the server's disk. */
export async function bulkSync(size: Size): Promise<Workload[]> {
  const book = bookOf(sized(size, 10_000, 100))
  const server = await startKith()
  try {
    const { peers, notes } = await startPeers(size.hasPeers ? ['hocuspocus'] : [])
    const contestants = [
      await bareSync(book),
      kithSync('Kith', server, book),
      clientSync(server, book),
      ...peers.map(({ name, server: peer }) => peerSync(name, peer, book)),
    ]
    if (peers.length > 0) notes.push('hocuspocus acknowledges what it has in memory, and stores it two seconds later')
    const title = `${book.length} contacts, 3 levels and a follow each, until on the server's disk`
    return [await alternate({ id: 'W5', title, notes }, contestants, size.rounds)]
  } finally {
    await server.stop()
  }
}

function bookOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `+1212${String(5550000 + index).padStart(7, '0')}`)
}

function changesOf(book: readonly string[]): KeyChange[] {
  return book.flatMap(id => [
    { root: 'contacts', key: id, value: true },
    ...levels.map(level => ({ root: 'grants', key: `${level}/${id}`, value: true })),
    { root: 'subscriptions', key: id, value: true },
  ])
}

async function bareSync(book: readonly string[]): Promise<Contestant> {
  const server = await startBareServer()
  pinServer(server.pid)
  const socket = await connectBare(server.url)
  return {
    name: 'bare server',
    pid: server.pid,
    round: async () => {
      const before = processorMs(server.pid)
      const begun = performance.now()
      const doc = new Y.Doc()
      applyChanges(doc, changesOf(book))
      const update = Y.encodeStateAsUpdate(doc)
      await ask(socket, 1, 8, update)
      return figures(begun, before, server.pid, update.length)
    },
    close: async () => {
      socket.terminate()
      await server.stop()
    },
  }
}

/** A new user in each round, with a device that stores nothing. */
export function kithSync(name: string, server: ServerProcess, book: readonly string[]): Contestant {
  return {
    name,
    pid: server.pid,
    round: async round => {
      const device = new RawDevice(`alice-${round}`)
      device.isVersioned = true
      await device.connect(server, await server.token(device.user))
      const before = processorMs(server.pid)
      const begun = performance.now()
      await device.edit('roster', changesOf(book))
      const taken = figures(begun, before, server.pid, device.updateBytes)
      device.close()
      // A new device receives the data that the server stored.
      const other = new RawDevice(device.user)
      await other.connect(server, await server.token(device.user), true)
      assert.equal(other.roster.getMap('grants').size, levels.length * book.length)
      other.close()
      return taken
    },
    close: async () => undefined,
  }
}

function clientSync(server: ServerProcess, book: readonly string[]): Contestant {
  return {
    name: 'Kith, by @kith/client',
    pid: server.pid,
    round: async round => {
      const before = processorMs(server.pid)
      const [first] = await syncTwice(server, `bob-${round}`, book)
      assert.equal(first.added, book.length)
      return { ms: first.syncedMs, 'server ms': processorMs(server.pid) - before, 'bytes up': first.bytesUp }
    },
    close: async () => undefined,
  }
}

function peerSync(name: PeerName, server: Listening, book: readonly string[]): Contestant {
  pinServer(server.pid)
  return {
    name: `${name}, in memory`,
    pid: server.pid,
    round: async round => {
      const device = new PeerDevice(name, server.url)
      const document = `alice-${round}`
      await device.open([document])
      const before = processorMs(server.pid)
      const begun = performance.now()
      device.write(document, changesOf(book))
      await device.settle(document)
      const doc = device.docs.get(document) as Y.Doc
      const taken = figures(begun, before, server.pid, Y.encodeStateAsUpdate(doc).length)
      device.close()
      return taken
    },
    close: () => server.stop(),
  }
}

function figures(begun: number, before: number, pid: number, bytes: number): Record<string, number> {
  return { ms: performance.now() - begun, 'server ms': processorMs(pid) - before, 'bytes up': bytes }
}

interface Synced {
  added: number
  unchanged: number
  localMs: number
  syncedMs: number
  bytesUp: number
}

/** Kith's client syncs a phone book, and then syncs the same one again [R3]. */
async function syncTwice(server: ServerProcess, user: string, book: readonly string[]): Promise<[Synced, Synced]> {
  let bytesUp = 0
  class CountingSocket extends WebSocket {
    override send(data: Uint8Array): void {
      bytesUp += data.length
      super.send(data)
    }
  }
  const kith = await openClient(server, user, CountingSocket)
  try {
    const synchronizer = new ContactSynchronizer(kith)
    synchronizer.subscribe(true)
    synchronizer.setProfileAccessLevels(levels)
    const syncOnce = async (): Promise<Synced> => {
      bytesUp = 0
      const begun = performance.now()
      const { added, unchanged } = await synchronizer.sync(book)
      const localMs = performance.now() - begun
      await kith.whenSynced()
      return { added, unchanged, localMs, syncedMs: performance.now() - begun, bytesUp }
    }
    const first = await syncOnce()
    const again = await syncOnce()
    assert.equal(again.unchanged, book.length, '[R3]')
    return [first, again]
  } finally {
    await kith.close()
  }
}

/** On a running server: Kith's client syncs 10,000 contacts, and then repeats the same call. */
export async function syncOfThousands(server: ServerProcess): Promise<Row[]> {
  const both = await syncTwice(server, 'alice', bookOf(10_000))
  return both.map(({ added, unchanged, localMs, syncedMs, bytesUp }, index) => ({
    sync: index === 0 ? 'first' : 'again',
    ...{ added, unchanged },
    'ms until on the device': rounded(localMs),
    'ms until whenSynced': rounded(syncedMs),
    'bytes sent, barriers included': bytesUp,
  }))
}
