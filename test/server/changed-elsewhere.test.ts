import type { Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { defaultLimits, type KeyChange, profileRoot } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { Link } from '../simulation/world/link.ts'
import { Seeded } from '../simulation/world/seeded.ts'
import { SharedLog } from '../simulation/world/shared-log.ts'
import { accountsOver } from '../support/account-world.ts'
import { Elsewhere, openNodeStore } from '../support/server-internals.ts'
import { settled } from '../support/test-table.ts'

test('[V5] of two changes of another node that are reported at once, the user’s devices here get what the second left', async () => {
  const { there, report, relayed } = await twoNodes()
  await there('the first')
  await there('the second')
  await report()
  expect(relayed()).toEqual({ holds: { '0/writer-1/mood': 'the second' }, says: ['the second'] })
})

test('[V5] a change that another node overwrites while this one reads it is not relayed', async () => {
  const { there, report, relayed, whileReading } = await twoNodes()
  await there('the first')
  whileReading(() => there('the second'))
  await report()
  await report()
  expect(relayed()).toEqual({ holds: { '0/writer-1/mood': 'the second' }, says: ['the second'] })
})

test('[R1] changes of another node that are reported one after the other are relayed as they are written', async () => {
  const { there, report, relayed } = await twoNodes()
  for (const mood of ['the first', 'the second']) {
    await there(mood)
    await report()
  }
  expect(relayed()).toEqual({ holds: { '0/writer-1/mood': 'the second' }, says: ['the first', 'the second'] })
})

test('[R1] devices are disconnected when what another node wrote of their documents cannot be read: they get it when they return', async () => {
  const { there, report, relayed, whileReading } = await twoNodes()
  const failure = new Error('the database is away')
  whileReading(() => Promise.reject(failure))
  await there('the first')
  await report([failure])
  expect(relayed().says).toEqual([])
})

const moods = ['the first', 'the second'] as const

/**
 * Alice writes her profile on one node, and has a device on another node. The second node learns of changes on the first when
 * the test says so.
 */
async function twoNodes() {
  const clock = new TestClock()
  const log = new SharedLog(() => clock.now(), { opened: () => undefined, written: () => undefined })
  log.open()
  const links: Link[] = []
  const node = async (): Promise<Store> => {
    const link: Link = new Link(log, clock, new Seeded(1), what => {
      for (const other of links) if (other !== link) other.notice(what)
    })
    links.push(link)
    return openNodeStore({
      ...{ database: link, incarnations: log.incarnations, cursorKey: log.cursorKey, position: log.head },
      ...{ limits: defaultLimits, clock, leaseClock: clock, pollMs: 1_000_000 },
    })
  }
  const [first, second] = [await node(), await node()]
  const writer = accountsOver(first, clock)
  const alice = writer.device('alice')
  const updates: Uint8Array[] = []
  const relayOwn = (_user: string, _document: string, update: Uint8Array): void => void updates.push(update)
  const { accounts, documents } = accountsOver(second, clock, {}, {}, relayOwn)
  let meanwhile: (() => Promise<unknown>) | undefined
  const store = Object.assign(Object.create(second) as Store, {
    documentSince: async (...given: Parameters<Store['documentSince']>) => {
      const work = meanwhile
      meanwhile = undefined
      await work?.()
      return second.documentSince(...given)
    },
  })
  const failures: unknown[] = []
  const elsewhere = new Elsewhere({
    ...{ store, accounts, documents },
    relay: {
      relayOwn,
      sessionsOf: () => new Set([{ feed: { fail: (error: unknown) => failures.push(error) } } as never]),
    },
    endSessions: () => undefined,
    forget: () => undefined,
  })
  second.onCommit(elsewhere.listener)
  return {
    async there(mood: string) {
      const change: KeyChange = { root: profileRoot, key: '0/writer-1/mood', value: mood }
      alice.edit([change])
      await writer.accounts.idle()
      expect([alice.refused, alice.failures]).toEqual([[], []])
    },
    /** Delivers the written changes to the other node, and waits for their effects. */
    async report(expected: readonly unknown[] = []) {
      for (const link of links) while (link.waiting > 0) link.step(0)
      await settled()
      await elsewhere.settled('alice')
      expect(failures.splice(0)).toEqual(expected)
    },
    whileReading(work: () => Promise<unknown>) {
      meanwhile = work
    },
    /** The content of a device that received everything relayed, and the moods whose bytes it received. */
    relayed() {
      const doc = new Y.Doc()
      for (const update of updates) Y.applyUpdate(doc, update)
      const bytes = Buffer.concat(updates)
      return { holds: doc.getMap(profileRoot).toJSON(), says: moods.filter(mood => bytes.includes(mood)) }
    },
  }
}
