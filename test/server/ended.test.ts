import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { type EngineWorld, engineWorld, type Line, rest } from '../support/engine-world.ts'
import { type DocumentsChange, profileChange, rosterChange } from '../support/server-internals.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** The server's data about ended sessions. A table that only grows is a leak. */
describe('[F2] nothing of an ended session stays in memory', () => {
  const endings: [string, (world: EngineWorld, line: Line) => Promise<void> | void][] = [
    ['the device closes', (_, line) => line.drop()],
    ['the server closes it', (_, line) => line.send({ type: 'hello', version: 1, cursor: new Uint8Array() })],
    ['it is revoked', world => world.revoke('bob')],
    [
      'it answers no ping',
      ({ engine }) => [...engine.signIns.sessions].find(({ user }) => user === 'bob')?.terminate(),
    ],
    ['the token expires', ({ clock }) => clock.move(60_000)],
  ]

  test.each(endings)('when %s', async (_, end) => {
    // So few look-ups that a follow waits, which creates a timer.
    const world = await engineWorld({ lookups: 2, lookupsPerDay: 24 })
    const { engine, store, clock } = world
    await store.commit(profileChange('alice', { 0: 'Alice' }))
    await store.commit(profileChange('carol', { 0: 'Carol' }))
    await store.commit(follows('bob', 'alice', 'carol', 'dave'))
    // The very first session creates objects that remain for the life of the server.
    await busySession(world, true)
    const timers = clock.timerCount
    const session = await busySession(world, false, async line => {
      expect(clock.timerCount).toBeGreaterThan(timers)
      await end(world, line)
    })
    await rest()
    expect([...engine.signIns.sessions].map(({ user }) => user)).toEqual([])
    expect(engine.context.relay.sessionCount).toBe(0)
    // The server records that a user left when the grace period is over.
    clock.move(30_000)
    await rest()
    expect(clock.timerCount).toBeLessThanOrEqual(timers)
    await collected(session)
    await store.commit(profileChange('alice', { 0: 'Alice again' }))
    expect(world.errors).toEqual([])
  })

  /** A session of Bob that follows, fetches, watches, sends and waits. Returns only a weak reference to it. */
  async function busySession(
    world: EngineWorld,
    isDropped: boolean,
    end: (line: Line) => Promise<void> | void = line => line.drop(),
  ): Promise<WeakRef<object>> {
    const token = await world.engine.context.tokens.issue('bob', 50)
    const line = await world.signIn('bob', { token })
    const [session] = [...world.engine.signIns.sessions]
    line.send({ type: 'rosterSync', step: 'step2', payload: new Uint8Array([0, 0]) })
    line.send({ type: 'hello', version: 1, cursor: new Uint8Array() })
    line.send({ type: 'fetch', owner: 'carol' })
    line.send({ type: 'watch', owners: ['alice', 'carol', 'erin'] })
    line.send({ type: 'barrier', id: 1, withFeed: true })
    await rest()
    expect(line.frames.map(({ type }) => type)).toEqual(expect.arrayContaining(['profile', 'caughtUp', 'reached']))
    await end(line)
    await rest()
    if (isDropped) world.clock.move(30_000)
    await rest()
    return new WeakRef(session as object)
  }

  async function collected(session: WeakRef<object>): Promise<void> {
    for (let round = 0; round < 10 && session.deref(); round++) {
      await rest()
      collectGarbage()
    }
    expect(session.deref() === undefined, 'the session is gone from memory').toBe(true)
  }
})

test('[S4] a session that ends while its feed opens stays nowhere in memory, and its feed is not opened', async () => {
  const world = await engineWorld()
  await world.store.commit(follows('bob', 'alice'))
  for (const read of ['oldestCursor', 'relationsOf', 'views'] as const) {
    await world.store.commit(profileChange('alice', { 0: `before ${read}` }))
    const line = await world.signIn('bob')
    const held = world.hold(read)
    line.send({ type: 'hello', version: 1, cursor: new Uint8Array() })
    const release = await held
    line.drop()
    const before = line.frames.length
    release()
    await world.store.commit(profileChange('alice', { 0: `after ${read}` }))
    await rest()
    expect(line.frames.length, read).toBe(before)
  }
  expect(world.errors).toEqual([])
})

/** A change of a user's roster that follows others, with the facts that the store uses. */
function follows(user: string, ...owners: string[]): DocumentsChange {
  const change = rosterChange(user, Object.fromEntries(owners.map(owner => [owner, { isSubscribed: true }])))
  if (change.roster) change.roster.update = Y.encodeStateAsUpdateV2(new Y.Doc())
  return change
}

test.each([true, false])(
  '[S1] a read that fails for a session is an error only while the session is open: of a closed one the log says no error',
  async isOpen => {
    const world = await engineWorld()
    const { store } = world
    let fail: () => void = () => undefined
    const begun = new Promise<void>(resolve => {
      const next = async (): Promise<never> => {
        resolve()
        await new Promise<void>(go => {
          fail = go
        })
        throw new Error('Database is not open')
      }
      store.relationsOf = () => ({ [Symbol.asyncIterator]: () => ({ next }) })
    })
    const line = await world.signIn('bob')
    line.send({ type: 'hello', version: 1, cursor: new Uint8Array() })
    await begun
    if (!isOpen) line.drop()
    fail()
    await rest()
    expect(world.errors.length).toBe(isOpen ? 1 : 0)
    if (isOpen) expect(line.code).toBe(4500)
  },
)
