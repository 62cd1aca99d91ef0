import type { Kith } from '@kith/client'
import { TestClock } from '@kith/client/testing'
import { defaultContentLimits } from '@kith/shared'
import type { ServerMessage } from '@kith/shared/wire'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { coreOf, OwnDocument } from '../support/client-internals.ts'
import { type Hostile, hostileServer } from '../support/hostile-server.ts'

const mebibyte = 2 ** 20

interface Unwelcome {
  clock: TestClock
  server: Hostile
  alice: Kith
  errors: string[]
  say(message: ServerMessage): void
  /** The next `hello` gets its welcome. */
  welcomeNext(): void
}

/** A connected device, and a server that does not answer its `hello` with a welcome. */
async function unwelcome(): Promise<Unwelcome> {
  let say: ((message: ServerMessage) => void) | undefined
  let isWelcoming = false
  const server = hostileServer((message, tell) => {
    say = tell
    return message.type === 'hello' && !isWelcoming
  })
  const clock = new TestClock()
  const alice = await server.open('alice', { indexedDB: new IDBFactory(), clock })
  const errors: string[] = []
  alice.on('error', ({ code, message }) => errors.push(`${code}: ${message}`))
  await expect.poll(() => say).toBeDefined()
  const welcomeNext = (): void => {
    isWelcoming = true
  }
  return { clock, server, alice, errors, say: message => say?.(message), welcomeNext }
}

async function turns(alice: Kith): Promise<void> {
  for (let rest = 0; rest < 20; rest++) await new Promise(resolve => setImmediate(resolve))
  await coreOf(alice).store.idle()
}

/** Each call returns an update of about that size: a label that replaces the previous one. */
function updatesOf(bytes: number): () => ServerMessage {
  const roster = new OwnDocument('roster', 2 ** 31)
  let count = 0
  return () => {
    const before = Y.encodeStateVector(roster.doc)
    roster.write([{ root: 'labels', key: 'bob', value: `${count++} ${'x'.repeat(bytes)}` }])
    return { type: 'rosterSync', step: 'update', payload: Y.encodeStateAsUpdate(roster.doc, before) }
  }
}

const tooMuch = 'unavailable: The server sent more before its welcome than a device holds'

test('[D7] a device closes and reconnects when a server sends more than twice the largest roster before its welcome', async () => {
  const { server, alice, errors, say } = await unwelcome()
  const update = updatesOf(mebibyte)
  for (let count = 0; count < 15; count++) say(update())
  await turns(alice)
  expect([errors, alice.status, server.connections]).toEqual([[], 'syncing', 1])
  for (let count = 0; count < 2; count++) say(update())
  await turns(alice)
  expect([errors, alice.status]).toEqual([[tooMuch], 'offline'])
})

test('[D7] a device closes when a server sends 17,000 small frames before its welcome', async () => {
  const { alice, errors, say } = await unwelcome()
  const small: ServerMessage = { type: 'rosterSync', step: 'update', payload: Uint8Array.of(0, 0) }
  for (let count = 0; count < 15_000; count++) say(small)
  await turns(alice)
  expect(errors).toEqual([])
  for (let count = 0; count < 2_000; count++) say(small)
  await turns(alice)
  expect([errors, alice.status]).toEqual([[tooMuch], 'offline'])
})

test('[D7] updates of nearly twice the largest roster that arrive before the welcome are stored with it, and more after it', async () => {
  const { server, alice, errors, say } = await unwelcome()
  const update = updatesOf(mebibyte)
  for (let count = 0; count < 15; count++) say(update())
  await turns(alice)
  expect(alice.getProfile('bob').label).toBeUndefined()
  const [isFresh, isErased] = [true, false]
  say({ type: 'welcome', isFresh, isErased, incarnation: new Uint8Array(16), limits: defaultContentLimits })
  for (let count = 0; count < 5; count++) say(update())
  await expect.poll(() => alice.getProfile('bob').label?.slice(0, 4)).toBe('19 x')
  expect([errors, server.connections]).toEqual([[], 1])
})

test('[D7] a device reconnects when it gets no welcome within 60 s, and stays connected once it is welcome', async () => {
  const { clock, server, alice, errors, say, welcomeNext } = await unwelcome()
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      clock.move(1_000)
      say({ type: 'awareness' }) // The heartbeat: the connection is not silent.
      await turns(alice)
    }
  }
  await pass(59)
  expect([errors, alice.status, server.connections]).toEqual([[], 'syncing', 1])
  await pass(1)
  const late = 'unavailable: The server did not welcome this device within 60 s'
  expect([errors, alice.status]).toEqual([[late], 'offline'])
  await pass(50)
  expect(server.connections).toBe(2)
  welcomeNext()
  await pass(120)
  await expect.poll(() => alice.status).toBe('synced')
  const before = server.connections
  await pass(120)
  expect([alice.status, server.connections]).toEqual(['synced', before])
})
