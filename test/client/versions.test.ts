import { ContactSynchronizer, type Kith } from '@kith/client'
import { TestClock } from '@kith/client/testing'
import { defaultContentLimits, type KithError, nonceKey, privacyNames } from '@kith/shared'
import { encodeFrame, wireVersion } from '@kith/shared/wire'
import { IDBFactory } from 'fake-indexeddb'
import { expect, onTestFinished, test } from 'vitest'
import { coreOf } from '../support/client-internals.ts'
import { type Answer, type Hostile, hostileServer } from '../support/hostile-server.ts'

const welcomeOf = (wire: number, privacy: readonly string[]): Uint8Array =>
  encodeFrame({
    ...{ type: 'welcome', isFresh: true, isErased: false, incarnation: new Uint8Array(16) },
    ...{ limits: defaultContentLimits, understands: { wire, privacy } },
  })

interface Scene {
  server: Hostile
  clock: TestClock
  alice: Kith
  errors: KithError[]
  hellos: { version: number; oldest?: number; holds?: object }[]
  /** The documents that the device has requested, in order. */
  asked: string[]
  say(message: Uint8Array): void
}

/** A device of a server that selects kith.v1+ and sends this welcome. */
async function scene(welcome: () => Uint8Array, selected = 'kith.v1+'): Promise<Scene> {
  let say: Parameters<Answer>[1] = () => undefined
  const hellos: Scene['hellos'] = []
  const asked: string[] = []
  const server = hostileServer((message, tell) => {
    say = tell
    if ((message.type === 'rosterSync' || message.type === 'ownProfile') && message.step === 'step1') {
      asked.push(message.type)
    }
    if (message.type !== 'hello') return false
    hellos.push(message)
    if (selected !== 'kith.v1+') return false
    tell(welcome())
    tell({ type: 'ownProfile', step: 'step1', payload: Uint8Array.of(0) })
    tell({ type: 'caughtUp', cursor: Uint8Array.of(1) })
    return true
  })
  server.protocol = selected
  const clock = new TestClock()
  const alice = await server.open('alice', { indexedDB: new IDBFactory(), clock, connect: false })
  const errors: KithError[] = []
  alice.on('error', error => errors.push(error))
  return { server, clock, alice, errors, hellos, asked, say: message => say(message) }
}

async function settle({ alice }: Pick<Scene, 'alice'>): Promise<void> {
  for (let rest = 0; rest < 50; rest++) await new Promise(resolve => setImmediate(resolve))
  await coreOf(alice).store.idle()
}

/** Lets time pass until the device connects again. Resolves to the time that this took. */
async function nextConnection({ alice, server, clock }: Pick<Scene, 'alice' | 'server' | 'clock'>): Promise<number> {
  const [before, startMs] = [server.connections, clock.now()]
  while (server.connections === before) {
    clock.moveToNext()
    await settle({ alice })
  }
  return Math.ceil(clock.now() - startMs)
}

const later = wireVersion + 1
const privacy = ['contactsOnly', 'nobody', 'messagesContactsOnly', 'messagesNobody', 'hidePresence']

test.each([
  ['kith.v1+', { version: wireVersion, oldest: 1 }],
  ['kith.v1', { version: 1 }],
  ['', { version: 1 }],
])(
  'a device says its wire to a server that selects kith.v1+, and a hello of wire 1 to others: "%s"',
  async (selected, hello) => {
    const { alice, hellos } = await scene(() => welcomeOf(wireVersion, privacy), selected)
    alice.connect()
    await alice.whenSynced()
    expect(hellos).toEqual([{ type: 'hello', cursor: new Uint8Array(), ...hello }])
  },
)

test('[S1] optional messages and bytes at the end of messages are passed over from a server of a later wire', async () => {
  const welcome = (): Uint8Array => Uint8Array.of(...welcomeOf(later, privacy), 1, 2, 3)
  const { alice, errors, say } = await scene(welcome)
  alice.connect()
  await alice.whenSynced()
  const heard = new Promise<{ text: string }>(resolve => alice.on('message', resolve))
  say(Uint8Array.of(200, 1, 5, 5))
  say(Uint8Array.of(...encodeFrame({ type: 'message', id: '1', from: 'bob', text: 'hi' }), ...[9, 9]))
  expect((await heard).text).toBe('hi')
  await alice.whenSynced()
  expect(errors).toEqual([])
})

test.each([
  ['a message that is not optional', Uint8Array.of(150, 1)],
  ['an access with another flag', Uint8Array.of(107, 3, 98, 111, 98, 16, 0, 0)],
])(
  '[D2] %s from a server of a later wire is upgrade-required: the device keeps its changes, and tries again in half an hour to an hour',
  async (_, bytes) => {
    const one = await scene(() => welcomeOf(later, privacy))
    const { alice, server, errors, say } = one
    alice.connect()
    await alice.whenSynced()
    say(bytes)
    await settle(one)
    expect(errors).toMatchObject([
      { code: 'upgrade-required', message: 'This app is too old for the server: load its newest version' },
    ])
    const { retryAfterMs = 0 } = errors[0] as KithError
    expect(retryAfterMs).toBeGreaterThanOrEqual(30 * 60_000)
    expect(retryAfterMs).toBeLessThan(61 * 60_000)
    await alice.ownProfile.set('name', 'Ada')
    expect([alice.status, alice.unsent, server.connections]).toEqual(['offline', 1, 1])
    expect(await nextConnection(one)).toBe(Math.ceil(retryAfterMs))
    await alice.whenSynced()
    expect([server.connections, alice.unsent]).toEqual([2, 0])
  },
)

/** A welcome with one more flag, and the rest of the message unchanged. */
function flagged(wire: number): Uint8Array {
  const bytes = welcomeOf(wire, privacy)
  bytes[1] = (bytes[1] as number) | 8
  return bytes
}

const manyNames = Array.from({ length: 65 }, (_, n) => `name${n}`)

test.each([
  ['with a flag', flagged],
  ['with more privacy names than this version reads', (wire: number) => welcomeOf(wire, manyNames)],
])(
  '[D2] a welcome %s is upgrade-required from a server of a later wire, and a violation from one of this wire',
  async (_, welcome) => {
    for (const [wire, code] of [
      [later, 'upgrade-required'],
      [wireVersion, 'protocol-violation'],
    ] as const) {
      const one = await scene(() => welcome(wire))
      one.alice.connect()
      await settle(one)
      expect(one.errors.map(error => error.code)).toEqual([code])
      if (wire === later) expect(await nextConnection(one)).toBeGreaterThanOrEqual(30 * 60_000)
    }
  },
)

test.each([
  ['of a later wire', 4430, 'upgrade-required', later],
  ['of a later wire', 4400, 'protocol-violation', later],
  ['of the same wire', 4430, 'protocol-violation', wireVersion],
  ['before its welcome', 4430, 'upgrade-required', undefined],
  ['before its welcome', 4400, 'protocol-violation', undefined],
])(
  '[D2] a server %s that closes with %i is %s: only a code that a later wire may have added is tried again',
  async (_which, code, expected, wire) => {
    const server = hostileServer((message, tell, close) => {
      if (message.type !== 'hello') return false
      if (wire !== undefined) tell(welcomeOf(wire, privacy))
      close(code)
      return true
    })
    server.protocol = 'kith.v1+'
    const clock = new TestClock()
    const alice = await server.open('alice', { indexedDB: new IDBFactory(), clock, connect: false })
    const told = new Promise<KithError>(resolve => alice.on('error', resolve))
    alice.connect()
    expect((await told).code).toBe(expected)
    if (expected === 'upgrade-required') expect(await nextConnection({ alice, server, clock })).toBeGreaterThan(0)
  },
)

test('[S1] what a server of this wire adds is a violation, and the device stops', async () => {
  for (const bytes of [
    Uint8Array.of(200, 1),
    Uint8Array.of(...encodeFrame({ type: 'caughtUp', cursor: Uint8Array.of(1) }), 0),
  ]) {
    const one = await scene(() => welcomeOf(wireVersion, privacy))
    one.alice.connect()
    await one.alice.whenSynced()
    one.say(bytes)
    await settle(one)
    expect(one.errors.map(({ code }) => code)).toEqual(['protocol-violation'])
  }
})

test.each([
  [4426, 'This app is too old for the server: load its newest version'],
  [4427, 'The server is too old for this app: it must be upgraded'],
])('[D2] a server that closes with %i is tried again once in a while, and the app is told', async (code, message) => {
  let isUpgraded = false
  const server = hostileServer((said, _tell, close) => {
    if (said.type !== 'hello' || isUpgraded) return false
    close(code)
    return true
  })
  const clock = new TestClock()
  const alice = await server.open('alice', { indexedDB: new IDBFactory(), clock, connect: false })
  await alice.ownProfile.set('name', 'Ada')
  const told = new Promise<KithError>(resolve => alice.on('error', resolve))
  alice.connect()
  expect(await told).toMatchObject({ code: 'upgrade-required', message })
  expect([alice.status, alice.unsent]).toEqual(['offline', 1])
  isUpgraded = true
  const synced = alice.whenSynced()
  expect(await nextConnection({ alice, server, clock })).toBeGreaterThanOrEqual(30 * 60_000)
  await synced
  expect([server.connections, alice.unsent]).toEqual([2, 0])
})

test('[V3] a privacy setting that the server does not enforce is told to the app, once until the server does', async () => {
  let enforced = ['contactsOnly', 'nobody']
  const one = await scene(() => welcomeOf(wireVersion, enforced))
  const { alice, errors } = one
  alice.connect()
  await alice.whenSynced()
  await alice.setPublicAudience('nobody')
  await alice.whenSynced()
  expect(errors).toEqual([])
  await alice.setMessageAudience('nobody')
  await alice.whenSynced()
  const told = [
    {
      code: 'upgrade-required',
      message:
        'This server does not enforce the privacy setting messagesNobody yet: what it hides is shown until the server is upgraded',
    },
  ]
  expect(errors).toMatchObject(told)
  await alice.ownProfile.set('name', 'Ada')
  alice.disconnect()
  alice.connect()
  await alice.whenSynced()
  expect(errors).toMatchObject(told)
  enforced = [...enforced, 'messagesNobody']
  alice.disconnect()
  alice.connect()
  await alice.whenSynced()
  enforced = []
  alice.disconnect()
  alice.connect()
  await alice.whenSynced()
  expect(errors.map(({ message }) => message.split(' ')[8])).toEqual(['messagesNobody', 'nobody', 'messagesNobody'])
})

test('[V3] a privacy setting of a later app is told too, by a server of wire 1 as well', async () => {
  const one = await scene(() => new Uint8Array(), '')
  const { alice, errors } = one
  const { store } = coreOf(alice)
  await store.work(async work => {
    await work.documents.roster.write([{ root: 'privacy', key: nonceKey('aaaaaaaa', 'hideName'), value: true }])
  })
  await alice.setMessageAudience('contacts')
  alice.connect()
  await alice.whenSynced()
  expect(errors).toMatchObject([{ code: 'upgrade-required', message: expect.stringContaining('hideName') }])
})

test('[V3] a device reports that a server of wire 1 does not enforce a privacy setting added after 0.1.0', async () => {
  const { alice, errors } = await scene(() => new Uint8Array(), '')
  const known = privacyNames as string[]
  known.push('hideName') // As the next version would.
  onTestFinished(() => void known.pop())
  await coreOf(alice).store.work(async work => {
    const names = ['hideName', ...privacy]
    const keys = names.map((name, index) => nonceKey(`aaaaaaa${index}`, name))
    await work.documents.roster.write(keys.map(key => ({ root: 'privacy', key, value: true })))
  })
  alice.connect()
  await alice.whenSynced()
  expect(errors).toMatchObject([{ code: 'upgrade-required', message: expect.stringContaining('hideName') }])
})

test.each([
  ['of wire 2', 2, undefined, ['rosterSync', 'ownProfile']],
  ['that holds something else', 3, [], ['rosterSync', 'ownProfile']],
  ['that holds the same roster', 3, ['roster'] as const, ['ownProfile']],
])(
  '[F1][D6] a device with a long history asks a server %s for what it does not hold alike',
  async (_, wire, same, documents) => {
    let understands: { wire: number; privacy: readonly string[]; same?: readonly ('roster' | 'profile')[] } = {
      wire: 2,
      privacy,
    }
    const { alice, hellos, asked } = await scene(() =>
      encodeFrame({
        ...{ type: 'welcome', isFresh: false, isErased: false, incarnation: new Uint8Array(16) },
        ...{ limits: defaultContentLimits, understands },
      }),
    )
    await alice.enableAutoSyncContacts(false)
    // Every second entry is removed again, which leaves many ranges of removed entries.
    const people = Array.from({ length: 100 }, (_, index) => `person ${index}`)
    const syncer = new ContactSynchronizer(alice)
    syncer.setProfileAccessLevels([1])
    await syncer.sync(people)
    syncer.setProfileAccessLevels(null)
    await syncer.sync(people.filter((_, index) => index % 2 === 0))
    alice.connect()
    await alice.whenSynced()
    expect(hellos[0]).not.toHaveProperty('holds')
    alice.disconnect()
    asked.length = 0
    understands = { wire, privacy, ...(same && { same }) }
    alice.connect()
    await alice.whenSynced()
    expect(Object.keys(hellos[1]?.holds ?? {})).toEqual(['roster'])
    // The profile has no history, so it is requested immediately.
    expect([...asked].sort()).toEqual([...documents].sort())
  },
)
