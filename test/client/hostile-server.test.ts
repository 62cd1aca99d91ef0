import { ContactSynchronizer, type Kith } from '@kith/client'
import { TestClock } from '@kith/client/testing'
import { defaultContentLimits, type ErrorCode, parseProfileKey, profileKey, profileRoot } from '@kith/shared'
import type { ClientMessage, ServerMessage } from '@kith/shared/wire'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { backend } from '../support/backend.ts'
import { coreOf, edit } from '../support/client-internals.ts'
import { hostileServer } from '../support/hostile-server.ts'
import { rawUpdate } from '../support/raw-update.ts'

/** Everything that the app sees of both documents, including the refused changes. */
function seenBy(kith: Kith): unknown {
  const { roster, profile } = coreOf(kith).store.documents
  const entries = [roster, profile].flatMap(own =>
    own.roots.flatMap(root => [...own.view.entries(root)].map(([key, value]) => [root, key, value] as const)),
  )
  return new Map(entries.map(([root, key, value]) => [`${root} ${key}`, value]))
}

const isUpdate = (message: ClientMessage): message is Extract<ClientMessage, { type: 'rosterSync' | 'ownProfile' }> =>
  (message.type === 'rosterSync' || message.type === 'ownProfile') &&
  message.step !== 'step1' &&
  message.payload.length > 2

interface Attack {
  what: string
  stateVector?: Uint8Array
  answer(): Parameters<typeof hostileServer>[0]
}

function refusing(code: ErrorCode): Attack['answer'] {
  return () => {
    let hasRefused = false
    return (message, say) => {
      if (isUpdate(message)) {
        hasRefused = true
        say({ type: 'refused', document: message.type === 'rosterSync' ? 'roster' : 'profile', code })
        return true
      }
      if (message.type !== 'barrier' || !hasRefused) return false
      hasRefused = false
      say({ type: 'reached', id: message.id, isComplete: false })
      return true
    }
  }
}

function answeringStep1(payload: Uint8Array): Attack['answer'] {
  return () => (message, say) => {
    if ((message.type !== 'rosterSync' && message.type !== 'ownProfile') || message.step !== 'step1') return false
    say({ ...message, step: 'step2', payload } as ServerMessage)
    return true
  }
}

const gaps = rawUpdate([
  { client: 7, clock: 5, structs: [{ content: { is: 'any', values: [true] }, parent: 'contacts', key: 'x' }] },
])

const attacks: Attack[] = [
  { what: 'refuses everything as malformed, and has nothing', answer: refusing('malformed') },
  { what: 'refuses everything as too large, and has nothing', answer: refusing('roster-too-large') },
  { what: 'sends bytes that are no update as its state', answer: answeringStep1(Uint8Array.of(9, 9, 9, 9, 9)) },
  { what: 'sends a state with gaps', answer: answeringStep1(gaps) },
  {
    what: 'closes because of whatever is sent as too large',
    answer: () => (message, _say, close) => {
      if (isUpdate(message)) close(4413)
      return isUpdate(message)
    },
  },
  {
    what: 'drops everything and asks again',
    answer: () => (message, say) => {
      if (isUpdate(message)) {
        say({ ...message, step: 'step1', payload: Y.encodeStateVector(new Y.Doc()) } as ServerMessage)
        return true
      }
      if (message.type === 'barrier') say({ type: 'reached', id: message.id, isComplete: false })
      return message.type === 'barrier'
    },
  },
  {
    what: 'drops everything without a word',
    answer: () => (message, say) => {
      if (message.type === 'barrier') say({ type: 'reached', id: message.id, isComplete: false })
      return isUpdate(message) || message.type === 'barrier'
    },
  },
  { what: 'sends bytes that are no state vector', stateVector: Uint8Array.of(200), answer: () => () => false },
]

for (const { what, answer, stateVector } of attacks) {
  test(`[D6] a server that ${what} removes nothing from a device, and is retried at growing intervals`, async () => {
    await withstands(answer, () => stateVector)
  }, 60_000)
}

test('[D6] a server that claims to have more than the device ever wrote removes nothing from the device', async () => {
  await withstands(
    () => () => false,
    kith => {
      const vector = new Map<number, number>()
      const { roster, profile } = coreOf(kith).store.documents
      for (const { doc } of [roster, profile]) {
        for (const [client, clock] of Y.decodeStateVector(Y.encodeStateVector(doc))) vector.set(client, clock + 1000)
      }
      return Y.encodeStateVector(vector)
    },
  )
}, 60_000)

test('[D5] a change that a server drops silently stays unsent, and the app gets unavailable', async () => {
  const clock = new TestClock()
  let drops = 2
  let isDropped = false
  const server = hostileServer((message, say) => {
    if (isUpdate(message) && drops > 0) {
      drops--
      isDropped = true
      return true
    }
    if (message.type !== 'barrier' || !isDropped) return false
    isDropped = false
    say({ type: 'reached', id: message.id, isComplete: false })
    return true
  })
  const alice = await server.open('alice', { indexedDB: new IDBFactory(), clock, connect: false })
  const told: unknown[] = []
  alice.on('error', ({ code, message }) => told.push([code, message]))
  await alice.ownProfile.set('name', 'Ada')
  const unsent: number[] = []
  alice.connect()
  for (let turn = 0; turn < 60 && alice.status !== 'synced'; turn++) {
    unsent.push(alice.unsent)
    clock.move(2_000)
    for (let rest = 0; rest < 20; rest++) await new Promise(resolve => setImmediate(resolve))
    await coreOf(alice).store.idle()
  }
  expect([told, alice.status, alice.unsent]).toEqual([
    Array.from({ length: 2 }, () => ['unavailable', 'The server dropped a change']),
    'synced',
    0,
  ])
  expect([unsent[0], server.connections]).toEqual([1, 3])
})

test('[D6] a device finds the one label of sixty that a server refuses, and the other labels arrive', async () => {
  const docs = { rosterSync: new Y.Doc(), ownProfile: new Y.Doc() }
  let isComplete = true
  const picky = hostileServer((message, say) => {
    if (message.type === 'barrier') {
      say({ type: 'reached', id: message.id, isComplete })
      isComplete = true
      return true
    }
    if (message.type !== 'rosterSync' && message.type !== 'ownProfile') return false
    const doc = docs[message.type]
    if (message.step === 'step1') say({ ...message, step: 'step2', payload: Y.encodeStateAsUpdate(doc) })
    else if (Buffer.from(message.payload).includes('poison')) {
      isComplete = false
      say({ type: 'refused', document: 'roster', code: 'malformed' })
    } else Y.applyUpdate(doc, message.payload)
    return true
  })
  const clock = new TestClock()
  const alice = await picky.open('alice', { indexedDB: new IDBFactory(), clock, connect: false })
  const errors: unknown[] = []
  alice.on('error', ({ code, addresses }) => errors.push([code, addresses]))
  const labels = Array.from({ length: 60 }, (_, index) => ({
    root: 'labels',
    key: `person-${index}`,
    value: index === 7 ? 'poison' : `label ${index}`,
  }))
  await edit(coreOf(alice).store, 'roster', () => labels)
  alice.connect()
  for (let turn = 0; turn < 300 && docs.rosterSync.getMap('labels').size < 59; turn++) {
    clock.move(1_000)
    for (let rest = 0; rest < 10; rest++) await new Promise(resolve => setImmediate(resolve))
    await coreOf(alice).store.idle()
  }
  expect(docs.rosterSync.getMap('labels').size).toBe(59)
  expect([errors, alice.unsent, alice.getProfile('person-7').label]).toEqual([
    [['malformed', ['person-7']]],
    1,
    'poison',
  ])
}, 60_000)

test('[D5] a change that a server drops after it refused another one is not taken for refused, and arrives', async () => {
  const labels = new Y.Doc()
  let isComplete = true
  let drops = 1
  const picky = hostileServer((message, say) => {
    if (message.type === 'barrier') {
      say({ type: 'reached', id: message.id, isComplete })
      isComplete = true
      return true
    }
    if (message.type !== 'rosterSync') return false
    const text = Buffer.from(message.payload)
    if (message.step === 'step1') say({ ...message, step: 'step2', payload: Y.encodeStateAsUpdate(labels) })
    else if (text.includes('poison')) {
      isComplete = false
      say({ type: 'refused', document: 'roster', code: 'malformed' })
    } else if (text.includes('dropped') && drops-- > 0) isComplete = false
    else Y.applyUpdate(labels, message.payload)
    return true
  })
  const clock = new TestClock()
  const alice = await picky.open('alice', { indexedDB: new IDBFactory(), clock })
  const errors: unknown[] = []
  alice.on('error', ({ code, addresses }) => errors.push([code, addresses]))
  const until = async (isSo: () => boolean): Promise<void> => {
    for (let turn = 0; turn < 100 && !isSo(); turn++) {
      clock.move(1_000)
      for (let rest = 0; rest < 10; rest++) await new Promise(resolve => setImmediate(resolve))
      await coreOf(alice).store.idle()
    }
  }
  await until(() => alice.status === 'synced')
  await edit(coreOf(alice).store, 'roster', () => [{ root: 'labels', key: 'bob', value: 'poison' }])
  await until(() => errors.length > 0)
  await edit(coreOf(alice).store, 'roster', () => [{ root: 'labels', key: 'carol', value: 'dropped once' }])
  await until(() => labels.getMap('labels').has('carol'))
  await until(() => alice.unsent === 1)
  expect([labels.getMap('labels').toJSON(), alice.unsent]).toEqual([{ carol: 'dropped once' }, 1])
  expect(errors).toEqual([
    ['malformed', ['bob']],
    ['unavailable', undefined],
  ])
})

test('[D5][R6] while a device searches for a refused change, a field that another device set stays visible to all', async () => {
  const profile = new Y.Doc()
  const [old, keys] = [profileKey(0, 'otherdevice', 'name'), profile.getMap<string>(profileRoot)]
  keys.set(old, 'Ada')
  /** The server's values of the field `name` after each update. */
  const names: string[][] = []
  let isComplete = true
  const picky = hostileServer((message, say) => {
    if (message.type === 'hello') {
      const [isFresh, isErased] = [message.cursor.length === 0, false]
      say({ type: 'welcome', isFresh, isErased, incarnation: new Uint8Array(16), limits: defaultContentLimits })
      say({ type: 'ownProfile', step: 'step1', payload: Y.encodeStateVector(profile) })
      say({ type: 'caughtUp', cursor: Uint8Array.of(1) })
      return true
    }
    if (message.type === 'barrier') {
      say({ type: 'reached', id: message.id, isComplete })
      isComplete = true
      return true
    }
    if (message.type !== 'ownProfile') return false
    if (message.step === 'step1')
      say({ ...message, step: 'step2', payload: Y.encodeStateAsUpdate(profile, message.payload) })
    else if (Buffer.from(message.payload).includes('poison')) {
      isComplete = false
      say({ type: 'refused', document: 'profile', code: 'malformed' })
    } else {
      Y.applyUpdate(profile, message.payload)
      names.push([...keys].flatMap(([key, value]) => (parseProfileKey(key)?.name === 'name' ? [value] : [])))
    }
    return true
  })
  const clock = new TestClock()
  const alice = await picky.open('alice', { indexedDB: new IDBFactory(), clock })
  const settled = async (isSo: () => boolean): Promise<void> => {
    for (let turn = 0; turn < 300 && !isSo(); turn++) {
      clock.move(1_000)
      for (let rest = 0; rest < 10; rest++) await new Promise(resolve => setImmediate(resolve))
      await coreOf(alice).store.idle()
    }
  }
  await settled(() => alice.ownProfile.get('name') === 'Ada')
  alice.disconnect()
  await alice.ownProfile.set('name', 'Augusta')
  await alice.ownProfile.set('mood', 'poison')
  alice.connect()
  await settled(() => names.at(-1)?.[0] === 'Augusta' && alice.unsent === 1)
  expect([alice.unsent, alice.ownProfile.get('mood'), names.at(-1)]).toEqual([1, 'poison', ['Augusta']])
  expect(names).not.toContainEqual([])
}, 60_000)

test('[S4] a look-up that was over the budget is retried once, after the server’s hint, in this session only', async () => {
  const clock = new TestClock()
  const asked: string[] = []
  const server = hostileServer((message, say) => {
    if (message.type !== 'fetch') return false
    asked.push(message.owner)
    const isFirst = asked.length === 1
    if (isFirst) say({ type: 'failure', code: 'discovery-limit', retryAfterMs: 30_000, count: 1, addresses: ['carol'] })
    else {
      const cursor = new Uint8Array()
      say({
        type: 'access',
        owner: 'carol',
        levels: [0],
        isWaiting: false,
        hasJustJoined: false,
        isFetched: true,
        cursor,
      })
      say({ type: 'profile', owner: 'carol', level: 0, fields: { name: 'Carol' }, cursor })
    }
    return true
  })
  const alice = await server.open('alice', { indexedDB: new IDBFactory(), clock, connect: false })
  await alice.enableAutoSyncContacts(false)
  const errors: unknown[] = []
  alice.on('error', ({ code, retryAfterMs, addresses }) => errors.push([code, retryAfterMs, addresses]))
  alice.connect()
  await alice.whenSynced()
  const carol = alice.getProfile('carol')
  await carol.loaded
  expect([errors, carol.fields]).toEqual([[['discovery-limit', 30_000, ['carol']]], {}])
  clock.move(29_999)
  for (let turns = 0; turns < 20; turns++) await new Promise(resolve => setImmediate(resolve))
  expect(asked).toEqual(['carol'])
  clock.move(1)
  await expect.poll(() => carol.fields).toEqual({ name: 'Carol' })
  clock.move(10_000)
  for (let turns = 0; turns < 20; turns++) await new Promise(resolve => setImmediate(resolve))
  expect(asked).toEqual(['carol', 'carol'])
})

test('[D5] a server that accepts changes between refusals is not retried at growing intervals', async () => {
  let isComplete = true
  let taken = 0
  const docs = { rosterSync: new Y.Doc(), ownProfile: new Y.Doc() }
  const picky = hostileServer((message, say) => {
    if (message.type === 'barrier') {
      say({ type: 'reached', id: message.id, isComplete })
      isComplete = true
      return true
    }
    if (message.type !== 'rosterSync' && message.type !== 'ownProfile') return false
    const doc = docs[message.type]
    if (message.step === 'step1') say({ ...message, step: 'step2', payload: Y.encodeStateAsUpdate(doc) })
    else if (Buffer.from(message.payload).includes('poison')) {
      isComplete = false
      say({ type: 'refused', document: 'roster', code: 'malformed' })
    } else {
      taken++
      Y.applyUpdate(doc, message.payload)
    }
    return true
  })
  // This clock stands still, so a device that waits before sending again waits for ever.
  const alice = await picky.open('alice', { indexedDB: new IDBFactory(), clock: new TestClock() })
  await expect.poll(() => alice.status).toBe('synced')
  for (let round = 0; round < 16; round++) {
    for (const value of [`poison ${round}`, `label ${round}`]) {
      const before = taken
      await edit(coreOf(alice).store, 'roster', () => [{ root: 'labels', key: `${value} of`, value }])
      if (value.startsWith('label')) await expect.poll(() => taken, { timeout: 10_000 }).toBeGreaterThan(before)
      else await expect.poll(() => alice.getProfile(`${value} of`).label).toBe(value)
    }
  }
  await expect.poll(() => docs.rosterSync.getMap('labels').size).toBe(16)
}, 60_000)

test('[D6] what a device makes again because a copy of its database uses its client id is sent without another edit', async () => {
  const docs = { rosterSync: new Y.Doc(), ownProfile: new Y.Doc() }
  let hasLost = false
  let tell: (message: ServerMessage) => void = () => undefined
  const server = hostileServer((message, say) => {
    tell = say
    if (message.type !== 'rosterSync' && message.type !== 'ownProfile') return false
    const doc = hasLost && message.step === 'step1' ? new Y.Doc() : docs[message.type]
    if (message.step === 'step1') say({ ...message, step: 'step2', payload: Y.encodeStateAsUpdate(doc) })
    else Y.applyUpdate(doc, message.payload)
    return true
  })
  const alice = await server.open('alice', { indexedDB: new IDBFactory(), clock: new TestClock() })
  await alice.enableAutoSyncContacts(false)
  const { store } = coreOf(alice)
  await edit(store, 'roster', () => [{ root: 'labels', key: 'bob', value: 'Bob' }])
  await alice.whenSynced()
  const { roster } = store.documents
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(roster.doc))
  copy.clientID = roster.clientId
  const before = Y.encodeStateVector(copy)
  copy.getMap('labels').set('carol', 'of the copy')
  hasLost = true
  docs.rosterSync = new Y.Doc()
  tell({ type: 'rosterSync', step: 'update', payload: Y.encodeStateAsUpdate(copy, before) })
  await expect.poll(() => docs.rosterSync.getMap('labels').get('bob'), { timeout: 5_000 }).toBe('Bob')
  await expect.poll(() => [alice.status, alice.unsent]).toEqual(['synced', 0])
})

async function withstands(
  answer: Attack['answer'],
  stateVector: (kith: Kith) => Uint8Array | undefined,
): Promise<void> {
  const [old, fresh] = [await backend(), await backend()]
  const phone = { indexedDB: new IDBFactory(), databaseName: 'mine' }
  const first = await old.open('alice', phone)
  const syncer = new ContactSynchronizer(first)
  syncer.setProfileAccessLevels([1, 2])
  await syncer.sync(Array.from({ length: 30 }, (_, index) => `person-${index}`))
  const bob = first.getProfile('person-3')
  bob.setLabel('Bob')
  bob.block(true)
  await bob.save()
  for (let level = 0; level < 3; level++) await first.ownProfile.set('name', `Ada ${level}`, { level })
  await first.whenSynced()
  const vector = stateVector(first)
  await first.close()

  const clock = new TestClock()
  const hostile = hostileServer(answer(), vector)
  const alice = await hostile.open('alice', { ...phone, clock, connect: false })
  await alice.ownProfile.set('mood', 'well')
  const before = seenBy(alice)
  const said: [number, number][] = []
  alice.connect()
  for (let minute = 0; minute < 25; minute++) {
    for (let turn = 0; turn < 30; turn++) {
      clock.move(2_000)
      for (let rest = 0; rest < 20; rest++) await new Promise(resolve => setImmediate(resolve))
      await coreOf(alice).store.idle()
    }
    said.push([hostile.messages, hostile.connections])
    expect(seenBy(alice)).toEqual(before)
  }
  expect(hostile.connections).toBeGreaterThan(2)
  // In the last ten minutes it sends little, although nothing was ever accepted.
  const [earlier, last] = [said.at(-11), said.at(-1)] as [[number, number], [number, number]]
  expect(last[1] - earlier[1]).toBeLessThan(70)
  expect(last[0] - earlier[0]).toBeLessThan(1_500)
  await alice.close()

  const again = await fresh.open('alice', phone)
  await again.whenSynced()
  expect([seenBy(again), again.status, again.unsent]).toEqual([before, 'synced', 0])
  const other = await fresh.device('alice')
  await other.whenSynced()
  expect(seenBy(other)).toEqual(before)
}
