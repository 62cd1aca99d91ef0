import type { Kith } from '@kith/client'
import type { KeyChange } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { coreOf, edit, Sender, type SenderPort } from '../support/client-internals.ts'
import { installation } from '../support/devices.ts'

type Name = 'roster' | 'profile'

interface Sent {
  document: Name
  step: 'step2' | 'update'
  update: Uint8Array
}

const noneThere = Y.encodeStateVector(new Y.Doc())
const end = new Error('the session ended')

/** A sender over the documents of an offline device. A test acts as its session. */
function sending(kith: Kith, port: Partial<SenderPort> = {}) {
  const sent: Sent[] = []
  const rebuilt: unknown[] = []
  const sender = new Sender(
    {
      ...{ store: coreOf(kith).store, isRefill: () => false, maxBytes: () => 256 * 1024 },
      sendUpdate: async (document, step, update) => void sent.push({ document, step, update }),
      raiseBarrier: async () => true,
      pace: async () => undefined,
      pause: async () => undefined,
      rebuild: async (document, { refusal }) => {
        rebuilt.push([document, refusal?.code])
        return { refused: [], isExplained: false }
      },
      rebase: () => Promise.reject(new Error('there is no other generation')),
      drained: () => undefined,
      progressed: () => undefined,
      ...port,
    },
    undefined,
  )
  sender.welcomed()
  const ended = sender.run().catch((error: unknown) => error)
  /** The server reports what it holds: by default nothing. */
  const ask = ({ roster = noneThere, profile = noneThere } = {}): void => {
    for (const [name, vector] of Object.entries({ roster, profile })) {
      sender.answered(name as Name)
      sender.asked(name as Name, vector)
    }
  }
  return { sender, sent, rebuilt, ended, ask }
}

function editRoster(kith: Kith, ...changes: KeyChange[]): Promise<unknown> {
  return edit(coreOf(kith).store, 'roster', () => changes)
}

test('[D5] the first twelve refusals in a row are answered at once, then the pauses double from half a second to a minute', async () => {
  const kith = await installation('alice').open()
  await editRoster(kith, { root: 'labels', key: 'bob', value: 'refused' })
  const atPauses: number[] = []
  const pauses: number[] = []
  const { sender, sent, ask, ended } = sending(kith, {
    raiseBarrier: async () => {
      sender.refuse('roster', 'malformed')
      return false
    },
    pause: async ms => {
      pauses.push(ms)
      atPauses.push(sent.length)
      if (pauses.length === 10) throw end
    },
  })
  ask()
  expect(await ended).toBe(end)
  expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
  expect(atPauses.slice(0, 2)).toEqual([13, 14])
})

test('[D5] after a refusal of pieces that were sent together, a piece that is then dropped is not taken for refused', async () => {
  const kith = await installation('alice').open()
  const labels = Array.from({ length: 9_000 }, (_, index) => ({
    root: 'labels',
    key: `person-${index}`,
    value: 'x'.repeat(20),
  }))
  await editRoster(kith, ...labels)
  const barriers: number[] = []
  const { sender, sent, rebuilt, ask, ended } = sending(kith, {
    raiseBarrier: async () => {
      barriers.push(sent.length)
      if (barriers.length === 1) sender.refuse('roster', 'malformed')
      return false
    },
  })
  ask()
  expect(await ended).toMatchObject({ code: 'unavailable' })
  // Two pieces together, then the first of them again, alone.
  expect([barriers, rebuilt]).toEqual([[2, 3], []])
  expect(sent[2]?.update).toEqual(sent[0]?.update)
})

test('[D5] a server that drops changes and asks again is answered five times in a row, and the sixth time ends the session', async () => {
  const kith = await installation('alice').open()
  await editRoster(kith, { root: 'labels', key: 'bob', value: 'dropped' })
  let drops = 0
  const { sender, ask, ended } = sending(kith, {
    raiseBarrier: async () => {
      drops++
      sender.asked('roster', noneThere)
      return false
    },
  })
  ask()
  expect(await ended).toMatchObject({ code: 'unavailable' })
  expect(drops).toBe(6)
})

test('[V6] what a removal took away is sent ahead of an edit made after it, also if a later change that is unsent gives it again', async () => {
  const { kith, held } = await withGrant()
  await revoke(kith)
  await sendAll(kith, held)
  await kith.ownProfile.set('place', 'a secret', { level: 2 })
  await grant(kith)
  // The server was restored. It has the grant, and lacks the grant's removal, which no state vector shows.
  expect(await sendAll(kith, held)).toEqual(['roster: removes', 'profile: adds', 'roster: adds'])
})

test('[V6] a removal that is unsent itself is not sent ahead of an edit made before it', async () => {
  const { kith, held } = await withGrant()
  await kith.ownProfile.set('place', 'for bob too', { level: 2 })
  await revoke(kith)
  expect(await sendAll(kith, held)).toEqual(['profile: adds', 'roster: removes'])
})

test('[V6] a server that lost content is sent removals first, also of what a later change that is unsent gives again', async () => {
  const { kith, held } = await withGrant()
  await revoke(kith)
  await sendAll(kith, held)
  await kith.ownProfile.set('place', 'a secret', { level: 2 })
  await grant(kith)
  const refill = { isRefill: () => true }
  expect(await sendAll(kith, held, refill)).toEqual(['roster: removes', 'roster: adds', 'profile: adds'])
})

/** A device whose grant the server has accepted, and the state vectors of the server at that time. */
async function withGrant(): Promise<{ kith: Kith; held: Record<Name, Uint8Array> }> {
  const kith = await installation('alice').open()
  await grant(kith)
  await sendAll(kith, { roster: noneThere, profile: noneThere })
  const { roster, profile } = coreOf(kith).store.documents
  return { kith, held: { roster: Y.encodeStateVector(roster.doc), profile: Y.encodeStateVector(profile.doc) } }
}

const grant = (kith: Kith) => editRoster(kith, { root: 'grants', key: '2/bob', value: true })
const revoke = (kith: Kith) => editRoster(kith, { root: 'grants', key: '2/bob', value: undefined })

/** Runs a session until everything is acknowledged. Returns the effect of each non-empty update. */
async function sendAll(kith: Kith, held: Record<Name, Uint8Array>, port: Partial<SenderPort> = {}): Promise<string[]> {
  const { sent, ask, ended } = sending(kith, {
    ...port,
    drained: isDrained => {
      if (isDrained) throw end
    },
  })
  ask(held)
  expect(await ended).toBe(end)
  return sent.flatMap(({ document, update }) => {
    const { structs, ds } = Y.decodeUpdate(update)
    if (structs.length > 0) return [`${document}: adds`]
    return ds.clients.size > 0 ? [`${document}: removes`] : []
  })
}
