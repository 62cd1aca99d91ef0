import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ContactFilter, type Kith, type KithOptions, openKith } from '@kith/client'
import { planImport } from '@kith/client/import'
import { sqlite } from '@kith/client/sqlite'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { WebSocket } from 'ws'
import { percentile, print, type Row, rounded } from './report.ts'

const contactCount = 10_000
const runs = 50
/** The time of one frame at 60 frames per second. */
const frameMs = 16.7

const filters: Record<string, ContactFilter> = {
  none: {},
  'isSubscribed: true': { isSubscribed: true },
  'isBlocked: false, level: 2': { isBlocked: false, level: 2 },
  "query: 'ann 77'": { query: 'ann 77' },
  "query: 'nobody has this'": { query: 'nobody has this' },
}

/** (j) Measures filters of `getContacts` on 10,000 contacts with labels, on IndexedDB in memory and on SQLite. */
export async function contactFilters(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-bench-'))
  try {
    const indexedDB = { indexedDB: new IDBFactory(), IDBKeyRange }
    const rows = [
      ...(await measure('IndexedDB in memory', indexedDB)),
      ...(await measure('SQLite', { storage: sqlite(folder) })),
    ]
    print(`(j) getContacts on ${contactCount} contacts; a frame is ${frameMs} ms`, rows)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function measure(storage: string, options: Partial<KithOptions>): Promise<Row[]> {
  const kith = await openKith({
    ...{ url: 'ws://127.0.0.1:9', user: 'alice', token: 'none', connect: false, ...options },
    WebSocket: WebSocket as unknown as NonNullable<KithOptions['WebSocket']>,
  })
  try {
    await fill(kith)
    const [first] = await timed(() => kith.getContacts())
    const rows: Row[] = [{ storage, filter: 'first call', found: contactCount, 'median ms': first, 'p99 ms': first }]
    await kith.getContacts({ query: 'x' }) // Makes the texts that are searched.
    for (const [filter, wanted] of Object.entries(filters)) {
      const times: number[] = []
      let found = 0
      for (let run = 0; run < runs; run++) {
        const [ms, contacts] = await timed(() => kith.getContacts(wanted))
        times.push(ms)
        found = contacts.length
      }
      rows.push({ storage, filter, found, 'median ms': percentile(times, 0.5), 'p99 ms': percentile(times, 0.99) })
    }
    const afterChange: number[] = []
    for (let run = 0; run < runs; run++) {
      await kith.getProfile(`user${run}`).setLabel(`Changed ${run}`).save()
      const [ms] = await timed(() => kith.getContacts({ query: 'changed' }))
      afterChange.push(ms)
    }
    const [median, p99] = [percentile(afterChange, 0.5), percentile(afterChange, 0.99)]
    rows.push({ storage, filter: 'a query after a change', found: runs, 'median ms': median, 'p99 ms': p99 })
    return rows
  } finally {
    await kith.close()
  }
}

async function fill(kith: Kith): Promise<void> {
  const entries = Array.from({ length: contactCount }, (_, index) => ({
    ...{ index, line: index, name: `Ann Doe ${index}`, phoneNumbers: [`user${index}`], emails: [], diagnoses: [] },
  }))
  const plan = await planImport(kith, entries, { source: 'bench', levels: [1, 2], subscribe: true })
  await plan.apply()
}

async function timed<T>(call: () => Promise<T>): Promise<[ms: number, result: T]> {
  const begun = performance.now()
  const result = await call()
  return [rounded(performance.now() - begun), result]
}
