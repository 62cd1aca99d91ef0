import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { type Clock, check, type LevelDatabase } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { defaultLimits, type KeyChange } from '@kith/shared'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import * as Y from 'yjs'
import { type AccountWorld, accountsOver, type WritingDevice } from '../support/account-world.ts'
import { entry, rawUpdate } from '../support/raw-update.ts'
import { BackendEdits, Documents, MergeThread, type RemoteDocument, weightOf } from '../support/server-internals.ts'
import { serverWorld, settle } from '../support/server-world.ts'
import { newDatabase, storeOver } from '../support/stores.ts'

/** More than 256 KiB: too large for the server's main thread. */
function largeRoster(name = 'contact'): KeyChange[] {
  return Array.from({ length: 1_500 }, (_, index) => ({
    root: 'labels',
    key: `${name} ${index}`,
    value: `${index}`.padEnd(240, 'x'),
  }))
}

const label = (user: string, value: string): KeyChange[] => [{ root: 'labels', key: user, value }]

type Asked = 'open' | 'merge' | 'continue' | 'missing' | 'isOfOther' | 'exported' | 'madeEdit' | 'stateVector' | 'close'

/** Observes the requests to the merge thread, and can end the thread at a request. */
class Overseer {
  readonly asked: Asked[] = []
  readonly workers = new Set<Worker>()
  #endsAt: Asked | undefined

  constructor() {
    const overseer = this
    const post = Worker.prototype.postMessage
    vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (this: Worker, ...args) {
      const { type } = args[0] as { type: Asked }
      overseer.asked.push(type)
      overseer.workers.add(this)
      if (type !== overseer.#endsAt) return post.apply(this, args)
      // The request does not reach the thread, because the thread might otherwise answer it before it ends.
      overseer.#endsAt = undefined
      void this.terminate()
    })
  }

  /** Ends the thread at its next request of this type, as when it runs out of memory. */
  endAt(type: Asked): void {
    this.#endsAt = type
  }

  count(type: Asked): number {
    return this.asked.filter(one => one === type).length
  }
}

afterEach(() => {
  vi.restoreAllMocks()
})

interface Large extends AccountWorld {
  overseer: Overseer
  database: LevelDatabase
  store: ReturnType<typeof storeOver>
  thread: MergeThread
  /** The roster as a new device receives it. */
  rosterOf(user: string): Promise<Y.Doc>
}

async function large({
  maxHeapBytes,
  clock = new TestClock(),
}: {
  maxHeapBytes?: number
  clock?: Clock
} = {}): Promise<Large> {
  const overseer = new Overseer()
  const database = await newDatabase('memory')
  const store = storeOver(database, clock)
  const thread = new MergeThread({ clock, limits: defaultLimits, ...(maxHeapBytes !== undefined && { maxHeapBytes }) })
  onTestFinished(() => thread.close())
  const world = accountsOver(store, clock, {}, { thread })
  return {
    ...world,
    ...{ overseer, database, store, thread },
    async rosterOf(user) {
      const doc = new Y.Doc()
      for (const part of (await store.document(user, 'roster')).parts) Y.applyUpdateV2(doc, part)
      return doc
    },
  }
}

function labelsOf(doc: Y.Doc): unknown {
  return doc.getMap('labels').toJSON()
}

/** Acts as a reconnecting device: answers the server's sync step 1 with everything that it has. */
function comeBack(device: WritingDevice): void {
  device.send('roster', Y.encodeStateAsUpdate(device.roster), true)
}

test.each(['open', 'merge'] as const)(
  '[D2] a merge thread that ends while it must %s leaves nothing half done: the device learns of it, and a repeated update is written',
  async moment => {
    const { accounts, device, overseer, store, database, rosterOf } = await large()
    const [alice, bob] = [device('alice'), device('bob')]
    for (const one of [alice, bob]) one.connect()
    await accounts.idle()
    overseer.endAt(moment)
    alice.edit(largeRoster())
    await accounts.idle()
    expect([alice.failures.length, alice.commits, (await store.document('alice', 'roster')).parts.length]).toEqual([
      1, 1, 0,
    ])
    bob.edit(label('carol', 'Carol'))
    await accounts.idle()
    expect(bob.failures).toEqual([])
    comeBack(alice)
    await accounts.idle()
    expect([alice.failures.length, alice.refused, alice.commits]).toEqual([1, [], 2])
    expect(labelsOf(await rosterOf('alice'))).toEqual(labelsOf(alice.roster))
    expect(overseer.workers.size, 'the thread came back').toBe(2)
    expect((await check(database)).findings).toEqual([])
  },
)

test('[D2] a merge thread that ends while a document is in it, and its change is being written, loses neither', async () => {
  const { accounts, device, overseer, store, database, rosterOf } = await large()
  const alice = device('alice')
  alice.connect()
  alice.edit(largeRoster())
  await accounts.idle()
  let release: () => void = () => undefined
  const began = new Promise<void>(resolve => {
    const inner = store.commit
    store.commit = async change => {
      const released = new Promise<void>(go => {
        release = go
      })
      store.commit = inner
      resolve()
      await released
      return inner(change)
    }
  })
  alice.edit(label('bob', 'Bob'))
  await began
  for (const worker of overseer.workers) await worker.terminate()
  alice.edit(label('bob', 'Robert'))
  alice.edit(label('carol', 'Carol'))
  release()
  await accounts.idle()
  expect([alice.failures, alice.refused, alice.resends]).toEqual([[], [], 0])
  expect(labelsOf(await rosterOf('alice'))).toEqual(labelsOf(alice.roster))
  expect(overseer.workers.size).toBe(2)
  expect((await check(database)).findings).toEqual([])
})

test('[D2] a document evicted from the merge thread while its change is being written loses nothing', async () => {
  const { accounts, device, overseer, store, rosterOf } = await large({ maxHeapBytes: 1 })
  const [alice, bob] = [device('alice'), device('bob')]
  for (const one of [alice, bob]) one.connect()
  alice.edit(largeRoster())
  await accounts.idle()
  let release: () => void = () => undefined
  const began = new Promise<void>(resolve => {
    const inner = store.commit
    store.commit = async change => {
      if (change.type === 'documents' && change.user === 'alice') {
        store.commit = inner
        const released = new Promise<void>(go => {
          release = go
        })
        resolve()
        await released
      }
      return inner(change)
    }
  })
  alice.edit(label('carol', 'Carol'))
  await began
  bob.edit(largeRoster())
  alice.edit(label('carol', 'Carol again'))
  while (overseer.count('close') === 0) await turn()
  release()
  await accounts.idle()
  for (const one of [alice, bob]) {
    expect([one.failures, one.refused, one.resends]).toEqual([[], [], 0])
    expect(labelsOf(await rosterOf(one.user))).toEqual(labelsOf(one.roster))
  }
})

test('[S3][D2] with any number of large documents edited at once, the merge thread stays within its bound, and no edit fails', async () => {
  const { accounts, device, overseer, rosterOf } = await large({ maxHeapBytes: 18 * 1024 * 1024 })
  const devices = Array.from({ length: 6 }, (_, index) => device(`user ${index}`))
  for (const one of devices) {
    one.connect()
    one.edit(largeRoster())
  }
  for (let round = 0; round < 8; round++) {
    for (const one of devices) one.edit(label(`friend ${round}`, `of ${one.user}`))
    for (const { user } of devices.slice(round % 3)) {
      accounts.of(user).task(
        () => accounts.of(user).missing('roster', Y.encodeStateVector(new Y.Doc()), () => undefined),
        error => devices[0]?.failures.push(error),
      )
    }
    for (let turns = 0; turns < 5 * round; turns++) await turn()
  }
  await accounts.idle()
  expect(devices.flatMap(({ failures, refused }) => [...failures, ...refused])).toEqual([])
  for (const one of devices) expect(labelsOf(await rosterOf(one.user))).toEqual(labelsOf(one.roster))
  // 360 KB of labels take at most 7.2 MB: two documents at a time.
  expect(overseer.count('open') - overseer.count('close')).toBeLessThanOrEqual(2)
  expect(overseer.count('open')).toBeGreaterThan(6)
})

test('[S3] large documents that wait for room in the merge thread are read and loaded one after the other as room becomes free', async () => {
  const { accounts, device, overseer, store } = await large({ maxHeapBytes: 8 * 1024 * 1024 })
  const devices = Array.from({ length: 6 }, (_, index) => device(`user ${index}`))
  for (const one of devices) {
    one.connect()
    one.edit(largeRoster())
    await accounts.idle()
  }
  overseer.asked.splice(0)
  const loadedBefore = new Map<string, number[]>()
  const inner = store.document
  store.document = async (user, name) => {
    loadedBefore.set(user, [...(loadedBefore.get(user) ?? []), overseer.count('open')])
    return inner(user, name)
  }
  for (const one of devices) one.edit(label('carol', `of ${one.user}`))
  await accounts.idle()
  let loaded = 1 // Of the user who was last.
  const most = Math.max(
    ...overseer.asked.map(type => {
      loaded += type === 'open' ? 1 : type === 'close' ? -1 : 0
      return loaded
    }),
  )
  expect([most, overseer.count('merge')]).toEqual([1, 6])
  // One read to learn the size, and another when there is room.
  expect(devices.map(({ user }) => loadedBefore.get(user))).toEqual([[0, 0], [0, 1], [0, 2], [0, 3], [0, 4], undefined])
})

test('[S3] of the documents that wait for room in the merge thread each has its turn: small ones do not pass by a large one', async () => {
  // Room for 5,000 bytes of documents.
  const thread = new MergeThread({ clock: new TestClock(), limits: defaultLimits, maxHeapBytes: 100_000 })
  onTestFinished(() => thread.close())
  const read: string[] = []
  const open = (name: string, weight: number): Promise<RemoteDocument> =>
    thread.open('roster', { weight, moreBytes: 0 }, async () => {
      read.push(name)
      return [Y.encodeStateAsUpdateV2(new Y.Doc())]
    })
  const first = await open('first', 2_000)
  const second = await open('second', 2_000)
  const large = open('large', 4_000)
  // There is room for one of them immediately.
  const small = ['small 1', 'small 2', 'small 3'].map(name => open(name, 900))
  first.release()
  for (let turns = 0; turns < 10; turns++) await turn()
  expect(read).toEqual(['first', 'second'])
  second.release()
  for (const document of [await large, ...(await Promise.all(small.slice(0, 1)))]) document.release()
  for (const document of await Promise.all(small.slice(1))) document.release()
  expect(read).toEqual(['first', 'second', 'large', 'small 1', 'small 2', 'small 3'])
})

test('[S3] the merge thread evicts documents before it merges a large update into a new document', async () => {
  const { accounts, device, overseer } = await large({ maxHeapBytes: 8 * 1024 * 1024 })
  const [alice, bob] = [device('alice'), device('bob')]
  for (const one of [alice, bob]) {
    one.connect()
    one.edit(largeRoster())
    await accounts.idle()
  }
  const asked = overseer.asked.filter(type => type !== 'missing' && type !== 'stateVector')
  expect(asked).toEqual(['open', 'merge', 'close', 'open', 'merge'])
})

test('[S3] the merge thread evicts documents before it merges a large update into a loaded document', async () => {
  const { accounts, device, overseer } = await large({ maxHeapBytes: 18 * 1024 * 1024 })
  const [alice, bob] = [device('alice'), device('bob')]
  for (const one of [alice, bob]) {
    one.connect()
    one.edit(largeRoster())
    await accounts.idle()
  }
  alice.edit(largeRoster('friend'))
  await accounts.idle()
  expect(overseer.asked.slice(-2)).toEqual(['close', 'merge'])
})

test('[S3] large documents that fit into the merge thread are loaded once, also if edited in turns', async () => {
  const { accounts, device, overseer } = await large()
  const devices = [device('alice'), device('bob')]
  for (const one of devices) {
    one.connect()
    one.edit(largeRoster())
  }
  for (let round = 0; round < 4; round++) {
    for (const one of devices) one.edit(label('carol', `${round}`))
    await accounts.idle()
  }
  expect([overseer.count('open'), overseer.count('close')]).toEqual([2, 0])
})

test('[F2] a merge thread without work for 10 seconds ends with all its documents, and starts again at the next request', async () => {
  const clock = new TestClock()
  const { accounts, device, overseer, rosterOf } = await large({ clock })
  const alice = device('alice')
  alice.connect()
  alice.edit(largeRoster())
  await accounts.idle()
  const [first] = overseer.workers
  const ended = new Promise(resolve => first?.once('exit', resolve))
  clock.move(9_000)
  alice.edit(label('bob', 'Bob'))
  await accounts.idle()
  expect(overseer.count('open'), 'it is there as long as it is asked').toBe(1)
  clock.move(9_999)
  alice.edit(label('bob', 'Robert'))
  await accounts.idle()
  expect(overseer.count('open')).toBe(1)
  clock.move(10_000)
  await ended
  alice.edit(label('bob', 'Rob'))
  await accounts.idle()
  expect([overseer.count('open'), overseer.workers.size, alice.failures]).toEqual([2, 2, []])
  expect(labelsOf(await rosterOf('alice'))).toEqual(labelsOf(alice.roster))
})

test('[D2] a device whose roster was being merged when the merge thread ended is disconnected with a retry, and loses nothing', async () => {
  const overseer = new Overseer()
  const world = await serverWorld({ limits: { writesBurst: 10_000, workBurst: 100_000 } })
  const [phone, laptop, carol] = await world.devices('alice', 'alice', 'carol')
  phone.change(largeRoster())
  await settle(phone, laptop)
  overseer.endAt('merge')
  phone.edit('bob', { label: 'Bob', levels: [1] })
  expect((await phone.closed()).code).toBe(4500)
  carol.edit('dave', { label: 'Dave' })
  await settle(carol)
  await phone.signIn()
  await settle(phone, laptop)
  const again = world.device('alice')
  await again.signIn()
  for (const { roster } of [laptop, again]) expect(labelsOf(roster)).toEqual(labelsOf(phone.roster))
  expect(overseer.workers.size).toBe(2)
  expect(await world.check()).toEqual([])
})

test('[V9][S1] an answer of a merge thread that is ending is not given to a request to the next one', async () => {
  const workers: Worker[] = []
  const terminate = Worker.prototype.terminate
  // A terminated thread still answers for a moment.
  vi.spyOn(Worker.prototype, 'terminate').mockImplementation(function (this: Worker) {
    workers.push(this)
    return Promise.resolve(0)
  })
  onTestFinished(async () => {
    vi.restoreAllMocks()
    for (const worker of workers) await terminate.call(worker)
  })
  const clock = new TestClock()
  const thread = new MergeThread({ clock, limits: defaultLimits })
  const open = async (name: string): Promise<RemoteDocument> => {
    const doc = new Y.Doc()
    doc.getMap('labels').set('whose', name)
    const bytes = Y.encodeStateAsUpdateV2(doc)
    return thread.open('roster', { weight: bytes.length, moreBytes: 0 }, async () => [bytes])
  }
  const whose = async (document: RemoteDocument): Promise<unknown> => {
    const doc = new Y.Doc()
    Y.applyUpdate(doc, (await document.missing(Y.encodeStateVector(new Y.Doc()))) as Uint8Array)
    return doc.getMap('labels').get('whose')
  }
  for (let index = 0; index < 5; index++) (await open(`before ${index}`)).release()
  for (const end of [(): void => clock.move(10_000), (): void => void thread.close()]) {
    const late = open('late').then(whose)
    late.catch(() => undefined) // It fails with its thread.
    // The thread has been requested, but has not answered.
    for (let steps = 0; steps < 10; steps++) await Promise.resolve()
    end()
    const names = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank']
    expect(await Promise.all(names.map(async name => whose(await open(name))))).toEqual(names)
  }
  await thread.close()
})

test('[S3] a document that a sweep drops, or whose change could not be written, leaves the merge thread too', async () => {
  const clock = new TestClock()
  const { accounts, device, overseer, store, rosterOf } = await large({ clock })
  const alice = device('alice')
  alice.connect()
  alice.edit(largeRoster())
  await accounts.idle()
  expect([overseer.count('open'), overseer.count('close')]).toEqual([1, 0])
  clock.leap(29_000)
  accounts.sweep()
  expect(overseer.count('close')).toBe(0)
  clock.leap(2_000)
  accounts.sweep()
  expect(overseer.count('close')).toBe(1)
  const { commit } = store
  store.commit = async () => {
    store.commit = commit
    throw new Error('the disk is full')
  }
  alice.edit(label('bob', 'Bob'))
  await accounts.idle()
  expect([alice.failures.length, overseer.count('open'), overseer.count('close')]).toEqual([1, 2, 2])
  comeBack(alice)
  await accounts.idle()
  expect(labelsOf(await rosterOf('alice'))).toEqual(labelsOf(alice.roster))
  expect(overseer.workers.size).toBe(1)
})

/** With this limit, a document keeps its history, however long it is. */
const keeping = { refoundBytes: 2 ** 40 }

test('[S3] a document whose long history takes few bytes on disk is loaded and merged in the thread', async () => {
  const overseer = new Overseer()
  const database = await newDatabase('memory')
  const clock = new TestClock()
  const first = accountsOver(storeOver(database, clock), clock, keeping)
  const device = first.device('alice')
  device.connect()
  // Two labels that alternate: Yjs keeps a struct for each change.
  const labels = ['bob', 'carol'].flatMap(user => label(user, user))
  for (let count = 0; count < 50; count++) {
    for (let turn = 0; turn < 200; turn++) device.edit(labels.map(change => ({ ...change, value: `${count} ${turn}` })))
    await first.accounts.idle()
  }
  await first.accounts.idle()
  const parts = (await storeOver(database, clock).document('alice', 'roster')).parts
  expect(parts.reduce((sum, part) => sum + part.length, 0)).toBeLessThan(64 * 1024)
  expect(weightOf(parts)).toBeGreaterThanOrEqual(16 * 19_000)
  expect(weightOf(parts)).toBeLessThanOrEqual(16 * 21_000)

  const thread = new MergeThread({ clock, limits: { ...defaultLimits, ...keeping } })
  onTestFinished(() => thread.close())
  const again = accountsOver(storeOver(database, clock), clock, keeping, { thread })
  const other = again.device('alice')
  other.edit(label('bob', 'Bob'))
  await again.accounts.idle()
  expect([other.failures, overseer.count('open'), overseer.count('merge')]).toEqual([[], 1, 1])
})

/**
 * Two labels that one device set alternately, 10,000 times each. 16 devices that had seen only the first value set one of them.
 */
function longHistory(): { before: Uint8Array; late: Uint8Array; steps: number } {
  const structs = Array.from({ length: 20_000 }, (_, clock) =>
    clock < 2 ? entry('labels', `person ${clock}`, 'x') : entry('', '', 'x', { client: 5, clock: clock - 2 }),
  )
  const late = Array.from({ length: 16 }, (_, index) => ({
    client: 6 + index,
    clock: 0,
    structs: [entry('', '', `late ${index}`, { client: 5, clock: 0 })],
  }))
  return { before: rawUpdate([{ client: 5, clock: 0, structs }]), late: rawUpdate(late), steps: 16 * 9_999 }
}

test('[S3] the file of an account with a large roster is made in the merge thread, and says the same as a small one', async () => {
  const { accounts, device, documents, overseer } = await large()
  const alice = device('alice')
  alice.connect()
  const fileOf = async (): Promise<{ user: string; contacts: unknown[]; profile: unknown }> => {
    const beside = {
      user: 'alice',
      exportedAtMs: 0,
      profile: new Map([[0, { name: 'Alice' }]]),
      unconfirmed: new Map(),
    }
    return JSON.parse(new TextDecoder().decode(await documents.exported('alice', beside)))
  }
  alice.edit(label('bob', 'Bob'))
  await accounts.idle()
  const small = await fileOf()
  expect(overseer.asked).toEqual([])
  alice.edit(largeRoster())
  await accounts.idle()
  const file = await fileOf()
  expect(overseer.count('exported')).toBe(1)
  expect(small.contacts).toEqual([{ id: 'bob', label: 'Bob' }])
  expect(file.contacts.length).toBe(1_501)
  expect(file.contacts).toContainEqual(small.contacts[0])
  expect({ ...file, contacts: [] }).toEqual({ ...small, contacts: [] })
})

test('[S3] an edit of the backend in a large roster is made in the merge thread, and changes the same as in a small one', async () => {
  const { accounts, device, overseer, store, database, rosterOf } = await large()
  const alice = device('alice')
  alice.connect()
  alice.edit(label('bob', 'Bob'))
  await accounts.idle()
  const edits = new BackendEdits(store, accounts)
  await edits.setMessageAudience('alice', 'contacts')
  expect(overseer.asked).toEqual([])
  alice.edit(largeRoster())
  await accounts.idle()
  await edits.setMessageAudience('alice', 'nobody')
  expect(overseer.count('madeEdit')).toBe(1)
  const roster = await rosterOf('alice')
  const names = [...roster.getMap('privacy').keys()].map(key => key.split('/')[1])
  expect(names.sort()).toEqual(['messagesContactsOnly', 'messagesNobody'])
  expect(labelsOf(roster)).toEqual(labelsOf(alice.roster))
  await edits.setMessageAudience('alice', 'everyone')
  expect((await rosterOf('alice')).getMap('privacy').size).toBe(0)
  expect((await check(database)).findings).toEqual([])
})

test('[S3] a large state vector is compared with a document in the merge thread, also if the document is small', async () => {
  const { documents, overseer } = await large()
  const vectorOf = (count: number, ...founders: number[]): Uint8Array => {
    const clients = [...Array.from({ length: count }, (_, index) => index + 1), ...founders]
    return Y.encodeStateVector(new Map(clients.map(client => [client, 1])))
  }
  const aFounder = 2 ** 32 + 7
  expect(await documents.isOfOther('alice', 'roster', vectorOf(1_000))).toBe(false)
  expect(overseer.asked).toEqual([])
  expect(await documents.isOfOther('alice', 'roster', vectorOf(100_000))).toBe(false)
  expect(overseer.asked).toEqual(['open', 'isOfOther'])
  // A document without entries belongs to any generation.
  expect(await documents.isOfOther('alice', 'roster', vectorOf(100_000, aFounder))).toBe(false)
  const update = rawUpdate([{ client: 1, clock: 0, structs: [entry('labels', 'bob', 'Bob')] }])
  await documents.merge('alice', 'roster', [update], true)
  expect(await documents.isOfOther('alice', 'roster', vectorOf(100_000, aFounder))).toBe(true)
  expect(await documents.isOfOther('alice', 'roster', Uint8Array.of(0xff))).toBe(false)
})

test('[S1][S3] a merge that takes long is done in slices of some ms, and is charged by its steps', async () => {
  const overseer = new Overseer()
  const clock = new TestClock()
  const thread = new MergeThread({ clock, limits: { ...defaultLimits, ...keeping } })
  onTestFinished(() => thread.close())
  const { accounts, documents, device } = accountsOver(
    storeOver(await newDatabase('memory'), clock),
    clock,
    {},
    { thread },
  )
  const alice = device('alice')
  const { before, late, steps } = longHistory()
  alice.send('roster', before)
  await accounts.idle()
  const [weight, looked] = [await documents.weight('alice', 'roster'), alice.lookedBytes]
  overseer.asked.length = 0
  alice.send('roster', late)
  await accounts.idle()
  expect([alice.refused, alice.failures, overseer.count('merge')]).toEqual([[], [], 1])
  expect(overseer.count('continue')).toBeGreaterThan(1)
  expect(alice.lookedBytes - looked).toBeGreaterThanOrEqual(weight + 16 * steps)
  const missing = await documents.missing('alice', 'roster', Y.encodeStateVector(new Y.Doc()))
  const copy = new Y.Doc()
  Y.applyUpdate(copy, missing as Uint8Array)
  expect(copy.getMap('labels').toJSON()).toEqual({ 'person 0': 'late 15', 'person 1': 'x' })
})

test('[S1][D2] a device gets everything that an update brought which was merged in slices, and the disk has it', async () => {
  const clock = new TestClock()
  const store = storeOver(await newDatabase('memory'), clock)
  const documents = new Documents({ store, clock, limits: defaultLimits })
  const { before, late } = longHistory()
  const first = await documents.merge('alice', 'roster', [before], true)
  // Once together with another update, and once more on the event loop.
  const {
    outcomes,
    relayed: update,
    roster,
  } = await documents.merge(
    'alice',
    'roster',
    [late, rawUpdate([{ client: 99, clock: 0, structs: [entry('contacts', 'eve', true)] }])],
    true,
  )
  expect(outcomes).toEqual([{ state: 'admitted' }, { state: 'admitted' }])
  const device = new Y.Doc()
  Y.applyUpdate(device, first.relayed as Uint8Array)
  Y.applyUpdate(device, update as Uint8Array)
  const labels = { 'person 0': 'late 15', 'person 1': 'x' }
  expect(device.getMap('labels').toJSON()).toEqual(labels)
  const disk = new Y.Doc()
  Y.applyUpdateV2(disk, first.roster?.snapshot ?? (first.roster?.update as Uint8Array))
  Y.applyUpdateV2(disk, roster?.snapshot ?? (roster?.update as Uint8Array))
  expect(disk.getMap('labels').toJSON()).toEqual(labels)
  expect(roster?.facts.size).toBe(1)
})

/** The priorities of the threads of this process (their nice values, from /proc). */
function priorities(): number[] {
  return readdirSync('/proc/self/task').map(task => {
    const [, fields = ''] = readFileSync(`/proc/self/task/${task}/stat`, 'utf8').split(') ')
    return Number(fields.split(' ')[16])
  })
}

test.skipIf(!existsSync('/proc/thread-self'))(
  '[S3] the merge thread gets a processor after the thread that serves everybody',
  async () => {
    const { accounts, device } = await large()
    const own = getPriority()
    expect(priorities().filter(nice => nice > own)).toEqual([])
    const alice = device('alice')
    alice.connect()
    alice.edit(largeRoster())
    await accounts.idle()
    expect(priorities().filter(nice => nice > own)).toEqual(own < 10 ? [10] : [])
    expect(getPriority(), 'that of this thread is as before').toBe(own)
  },
)
