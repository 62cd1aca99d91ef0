import { setImmediate as turn } from 'node:timers/promises'
import type { Change, Commit, LevelDatabase, Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { MemoryLevel } from 'memory-level'
import { expect, onTestFinished, test, vi } from 'vitest'
import * as Y from 'yjs'
import { commitWith } from '../support/commits.ts'
import { engineWorld, type Line, rest } from '../support/engine-world.ts'
import {
  type Entry,
  type Follower,
  type PresenceListener,
  PresenceSubscription,
  PresenceSubscriptions,
  profileChange,
  type Receiver,
  Relay,
  rosterChange,
  userChange,
} from '../support/server-internals.ts'
import { Disk, openMemory } from '../support/server-world.ts'
import { limitsWith, newDatabase, storeOver } from '../support/stores.ts'

/** Effects on commits and on other sessions when the code that processes a commit throws. */

const count = 30_000
const users = Array.from({ length: count }, (_, index) => `user ${index}`)
/** A user who comes after many slices. */
const failing = users[count - 2] as string
const boom = new Error('a flaw in the server')

/** Work of a commit that throws when it is iterated. */
function broken<T>(): readonly T[] {
  const work: T[] = []
  work[Symbol.iterator] = () => {
    throw boom
  }
  return work
}

const pairs = users.map(viewer => ({ viewer, owner: 'alice' }))
const strangers = [{ owner: 'alice', viewers: new Set<string>(), areExcepted: true }]
const levels = new Map([[0, new Uint8Array()]])

async function emptyStore(): Promise<Store> {
  return storeOver(await newDatabase('memory'), new TestClock())
}

/** A relay with a session of each user. The feeds record their calls, and one of them throws. */
async function relayOfMany(throwsIn: keyof Follower | undefined) {
  const relay = new Relay(await emptyStore())
  const failed: string[] = []
  const called = new Set<string>()
  for (const user of users) {
    const note = (method: keyof Follower) => (): void => {
      if (user === failing && method === throwsIn) throw boom
      called.add(`${method} ${user}`)
    }
    const feed = {
      user,
      recheck: note('recheck'),
      recheckFetched: note('recheckFetched'),
      recheckStranger: note('recheckStranger'),
      *recheckMany() {
        yield 1
        note('recheckMany')()
      },
      takes: () => {
        note('takes')()
        return [0]
      },
      offer: () => {
        note('offer')()
        return [0]
      },
      deliver: note('deliver'),
      noteChanged: note('noteChanged'),
      fail: () => void failed.push(user),
    } as unknown as Follower
    relay.join({ user, feed } as unknown as Receiver)
    relay.addEntry({ owner: 'alice', feed } as Entry)
    if (throwsIn === 'noteChanged') relay.beginOpening(feed)
  }
  const commitAll = async (...commits: Commit[]): Promise<void> => {
    await relay.listener.writing?.()
    relay.listener.committed(commits)
    // The next batch begins, and so do reads.
    await relay.listener.writing?.()
    relay.listener.failed?.()
    await relay.reads.read(
      async () => ({ at: relay.store.position }),
      () => undefined,
    )
    for (let turns = 0; turns < 3; turns++) await turn()
  }
  return { commitAll, failed, called }
}

test.each<[keyof Follower, Commit[]]>([
  ['recheck', [commitWith({ pairs })]],
  ['recheckFetched', [commitWith({ standings: users })]],
  ['recheckStranger', [commitWith({ strangers })]],
  [
    'recheckMany',
    [commitWith({ pairs: [...users.slice(-3)].flatMap(viewer => users.map(owner => ({ viewer, owner }))) })],
  ],
  ['takes', [commitWith({ levels }), commitWith({ levels, subjects: ['bob'] })]],
  ['offer', [commitWith({ levels })]],
  ['deliver', [commitWith({ levels })]],
  ['noteChanged', [commitWith({ levels })]],
])(
  '[V4][S1] a feed that throws in %s while a commit is checked ends its own session; all other feeds are called, and commits and reads go on',
  async (method, commits) => {
    const { commitAll, failed, called } = await relayOfMany(method)
    await commitAll(...commits)
    expect(new Set(failed)).toEqual(new Set([failing]))
    const others = method === 'recheckMany' ? users.slice(-3) : users
    expect([...called].filter(one => one.startsWith(`${method} `)).length).toBe(others.length - 1)
  },
)

test.each([
  ['at once', [commitWith({ pairs: broken() })]],
  ['in a later slice', [commitWith({ pairs, standings: broken() })]],
])(
  '[V4][V7] when the check of a commit itself throws %s, all sessions end, and commits and reads go on',
  async (_, commits) => {
    const { commitAll, failed } = await relayOfMany(undefined)
    await commitAll(...commits)
    expect(failed.length).toBe(count)
  },
)

test.each<[keyof PresenceListener, Commit]>([
  ['ask', commitWith({ pairs })],
  ['askAll', commitWith({ standings: users })],
  ['askAsStranger', commitWith({ strangers })],
  ['askIfSeen', commitWith({ hidings: ['alice'] })],
])(
  '[V4][S1] a subscription to presences that throws in %s ends its own session; all others are called, and commits go on',
  async (method, wide) => {
    const { subscriptions, failed, called } = subscriptionsOfMany(method)
    subscriptions.listener.committed([wide])
    await subscriptions.listener.writing?.()
    expect([failed, called.size]).toEqual([[failing], count - 1])
  },
)

test('[V4] when the check of a commit for presences itself throws, the sessions of all subscriptions end', async () => {
  const { subscriptions, failed } = subscriptionsOfMany(undefined)
  subscriptions.listener.committed([commitWith({ pairs, standings: broken() })])
  await subscriptions.listener.writing?.()
  expect(failed.length).toBe(count)
})

function subscriptionsOfMany(throwsIn: keyof PresenceListener | undefined) {
  const subscriptions = new PresenceSubscriptions()
  const failed: string[] = []
  const called = new Set<string>()
  for (const user of users) {
    const note = (method: keyof PresenceListener) => (): void => {
      if (user === failing && method === throwsIn) throw boom
      called.add(user)
    }
    const watch: PresenceListener = {
      user,
      ask: note('ask'),
      askIfSeen: note('askIfSeen'),
      askAsStranger: note('askAsStranger'),
      askAll: note('askAll'),
      stir: note('stir'),
      fail: () => void failed.push(user),
    }
    subscriptions.open(user, watch)
    subscriptions.add('alice', watch)
  }
  return { subscriptions, failed, called }
}

test('[V4][V7] a device whose feed throws while a revocation is checked is disconnected, and learns of the revocation when it returns', async () => {
  const world = await engineWorld()
  const { store, engine } = world
  const grant = (levels: number[]) => rosterChange('alice', { bob: { isContact: true, levels } })
  await store.commit(profileChange('alice', { 1: 'secret' }))
  await store.commit(grant([1]))
  const cursors = (line: Line): Uint8Array[] =>
    line.frames.flatMap(frame => ('cursor' in frame && frame.cursor.length > 0 ? [frame.cursor] : []))
  const come = async (cursor: Uint8Array): Promise<Line> => {
    const line = await world.signIn('bob')
    line.send({ type: 'rosterSync', step: 'step2', payload: new Uint8Array([0, 0]) })
    line.send({ type: 'hello', version: 1, cursor })
    await rest()
    return line
  }
  const first = await come(new Uint8Array())
  const [cursor] = cursors(first).slice(-1)
  expect(first.frames.some(({ type }) => type === 'profile')).toBe(true)
  const [session] = engine.signIns.sessions
  Object.assign(session?.feed as Follower, {
    recheck() {
      throw boom
    },
  })
  await store.commit(grant([]))
  await rest()
  expect([first.code, world.errors.length]).toEqual([4500, 1])
  expect(cursors(first).at(-1)).toBe(cursor)
  const again = await come(cursor as Uint8Array)
  expect(again.frames.find(frame => frame.type === 'access')).toMatchObject({ owner: 'alice', levels: [] })
})

/** Collects uncaught exceptions until the test ends. */
function uncaught(): unknown[] {
  const caught: unknown[] = []
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', error => void caught.push(error))
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException')
    for (const other of others) process.on('uncaughtException', other)
  })
  return caught
}

test('[D2][V4] a listener of commits that throws keeps no other listener from the commit, and no later commit from the disk', async () => {
  const caught = uncaught()
  const store = await emptyStore()
  let isThrowing = true
  const committed = (): void => {
    if (isThrowing) throw boom
  }
  store.onCommit({ committed })
  const relay = new Relay(store)
  store.onCommit(relay.listener)
  await store.commit(profileChange('alice', { 0: 'Alice' }))
  isThrowing = false
  await store.commit(profileChange('alice', { 0: 'Ada' }))
  let hasRead = false
  await relay.reads.read(
    async () => ({ at: store.position }),
    () => {
      hasRead = true
    },
  )
  expect([hasRead, caught]).toEqual([true, [boom]])
})

test.each([
  ['rejects', () => Promise.reject(boom)],
  [
    'throws',
    () => {
      throw boom
    },
  ],
])(
  '[D2][V4] when a listener %s before a batch is written, the change fails, and reads and later changes go on',
  async (_, writing) => {
    const store = await emptyStore()
    const relay = new Relay(store)
    store.onCommit(relay.listener)
    const stop = store.onCommit({ writing, committed: () => undefined })
    // The relay still hands something over.
    const release = relay.reads.holdNext()
    setImmediate(release)
    await expect(store.commit(profileChange('alice', { 0: 'Alice' }))).rejects.toBe(boom)
    let hasRead = false
    await relay.reads.read(
      async () => ({ at: store.position }),
      () => {
        hasRead = true
      },
    )
    expect(hasRead).toBe(true)
    stop()
    await store.commit(profileChange('alice', { 0: 'Alice' }))
    expect(await store.levelsWithFields('alice')).toEqual([0])
  },
)

test('[D2][V4] a batch that is found on disk when the database is opened again is reported, also if a listener fails at first', async () => {
  const disk = new Disk(new MemoryLevel({ keyEncoding: 'utf8', valueEncoding: 'view' }) as unknown as LevelDatabase)
  const clock = new TestClock()
  const store = openMemory(disk, limitsWith(), clock)
  const relay = new Relay(store)
  store.onCommit(relay.listener)
  let failures = 0
  const reported: number[] = []
  store.onCommit({
    writing: async () => {
      if (failures-- > 0) throw boom
    },
    committed: commits => void reported.push(...commits.map(({ position }) => position)),
  })
  await store.commit(profileChange('alice', { 0: 'Alice' }))
  disk.fill({ survives: true })
  await expect(store.commit(profileChange('alice', { 0: 'Ada' }))).rejects.toThrow('full')
  disk.makeRoom()
  failures = 1
  for (let attempt = 0; store.refusal && attempt < 10; attempt++) {
    clock.move(1_000)
    for (let turns = 0; turns < 20; turns++) await turn()
  }
  expect([store.refusal, reported, store.position]).toEqual([undefined, [1, 2], 2])
  await relay.reads.read(
    async () => ({ at: store.position }),
    () => undefined,
  )
})

test.each<[keyof PresenceListener, () => Change]>([
  ['ask', () => rosterChange('alice', { bob: { isBlocked: true } })],
  ['askIfSeen', () => rosterChange('alice', {}, { hidesPresence: true })],
  ['askAll', () => userChange('bob', { restricted: true })],
])(
  '[V4] a device whose watch of presences throws in %s while a commit is checked is disconnected',
  async (method, change) => {
    const world = await engineWorld()
    await world.store.commit(profileChange('alice', { 0: 'Alice' }))
    const follow = rosterChange('bob', { alice: { isSubscribed: true } })
    if (follow.roster) follow.roster.update = Y.encodeStateAsUpdateV2(new Y.Doc())
    await world.store.commit(follow)
    const line = await world.signIn('bob')
    line.send({ type: 'rosterSync', step: 'step2', payload: new Uint8Array([0, 0]) })
    line.send({ type: 'hello', version: 1, cursor: new Uint8Array() })
    await rest()
    line.send({ type: 'watch', owners: ['alice'] })
    await rest()
    expect(line.frames.filter(({ type }) => type === 'presence').length).toBe(1)
    const throwing = vi.spyOn(PresenceSubscription.prototype, method as 'askAll').mockImplementation(() => {
      throw boom
    })
    onTestFinished(() => throwing.mockRestore())
    await world.store.commit(change())
    await rest()
    expect([line.code, world.errors.length]).toEqual([4500, 1])
  },
)
