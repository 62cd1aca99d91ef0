import type { ServerMessage } from '@kith/shared/wire'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { coreOf } from '../support/client-internals.ts'
import { type Hostile, hostileServer } from '../support/hostile-server.ts'

/** A roster that another device of the user keeps editing: the whole state, and each edit as a separate update. */
function edited(count: number): { state: Uint8Array; updates: Uint8Array[] } {
  const doc = new Y.Doc()
  doc.getMap('contacts').set('bob', true)
  const updates: Uint8Array[] = []
  for (let edit = 0; edit < count; edit++) {
    const before = Y.encodeStateVector(doc)
    doc.getMap('labels').set(`user ${edit}`, 'a label')
    updates.push(Y.encodeStateAsUpdate(doc, before))
  }
  return { state: Y.encodeStateAsUpdate(doc), updates }
}

interface Held {
  server: Hostile
  /** Resolves when the device has requested the roster. */
  asked: Promise<void>
  say(message: ServerMessage): void
}

/** A server for which a test supplies the responses to the roster's step 1s. */
function holdingRoster(): Held {
  let say: (message: ServerMessage) => void = () => undefined
  let noteAsked: () => void = () => undefined
  const asked = new Promise<void>(resolve => {
    noteAsked = resolve
  })
  const server = hostileServer((message, saying) => {
    if (message.type !== 'rosterSync' || message.step !== 'step1') return false
    say = saying
    noteAsked()
    return true
  })
  return { server, asked, say: message => say(message) }
}

const count = 8

test('[D3] changes of another device that arrive before the answer to step 1 do not end the session, in any number', async () => {
  const { server, asked, say } = holdingRoster()
  const kith = await server.open('alice', { indexedDB: new IDBFactory() })
  const { store } = coreOf(kith)
  await asked
  const { state, updates } = edited(count)
  for (const payload of updates) {
    say({ type: 'rosterSync', step: 'update', payload })
    // Each update is stored separately.
    for (let turns = 0; turns < 20; turns++) await store.work(async () => undefined)
  }
  say({ type: 'rosterSync', step: 'step2', payload: state })
  await expect.poll(() => store.documents.roster.standing.has('contacts', 'bob')).toBe(true)
  expect([...store.documents.roster.view.entries('labels')].length).toBe(count)
  expect(server.connections).toBe(1)
})

test('[D6] a server whose answers to step 1 all have gaps is asked a few times, then left and retried', async () => {
  const { updates } = edited(1)
  let answers = 0
  const server = hostileServer((message, say) => {
    if (message.type !== 'rosterSync' || message.step !== 'step1') return false
    if (server.connections === 1) answers++
    say({ ...message, step: 'step2', payload: updates[0] as Uint8Array })
    return true
  })
  await server.open('alice', { indexedDB: new IDBFactory() })
  await expect.poll(() => server.connections, { timeout: 10_000 }).toBeGreaterThan(1)
  expect(answers).toBeLessThan(8)
})
