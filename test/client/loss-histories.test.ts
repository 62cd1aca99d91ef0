import type { Kith } from '@kith/client'
import { forceCloseDatabase, IDBFactory } from 'fake-indexeddb'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Backend, backend } from '../support/backend.ts'
import { sharedByTabs } from '../support/channels.ts'
import { coreOf, dexieOf } from '../support/client-internals.ts'
import { done } from '../support/database-copy.ts'
import { holdsAsync } from '../support/properties.ts'

type Step =
  | { type: 'set' | 'unset' | 'label' | 'block' | 'remove' | 'come' | 'leave'; tab: number }
  /** The database is deleted by another tab, or forcibly closed as well. The step waits for this, or not. */
  | { type: 'lose'; isCut: boolean; isAwaited: boolean }
  | { type: 'turn' }

const tab = fc.nat(2)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constantFrom('set' as const, 'unset' as const), tab }) },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constantFrom('label' as const, 'block' as const, 'remove' as const), tab }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('come' as const, 'leave' as const), tab }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('lose' as const), isCut: fc.boolean(), isAwaited: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('turn' as const) }) },
)

/** The user's edits. No key is edited twice, so every order has the same result. */
interface Expected {
  fields: Map<string, number>
  labels: Map<string, string>
  blocked: Set<string>
}

test('[D1][D3] edits that tabs make while their database is lost repeatedly all arrive, once', async () => {
  const world = await backend()
  let histories = 0
  await holdsAsync(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async steps => {
      histories++
      await play(world, `user-${histories}`, steps)
    }),
    12,
  )
}, 300_000)

async function play(world: Backend, user: string, steps: readonly Step[]): Promise<void> {
  const indexedDB = new IDBFactory()
  const options = { indexedDB, ...sharedByTabs(), databaseName: user }
  const tabs = [await world.open(user, options), await world.open(user, options), await world.open(user, options)]
  const expected: Expected = { fields: new Map(), labels: new Map(), blocked: new Set() }
  const errors: string[] = []
  for (const kith of tabs) kith.on('error', error => errors.push(`${error.code} ${error.message}`))
  const losing: Promise<unknown>[] = []
  let count = 0
  for (const one of steps) {
    count++
    if (one.type === 'turn') await new Promise(resolve => setTimeout(resolve, 5))
    else if (one.type === 'lose') {
      if (one.isCut) for (const kith of tabs) cut(kith)
      const lost = done(indexedDB.deleteDatabase(user))
      if (one.isAwaited) await lost
      else losing.push(lost)
    } else await act(tabs[one.tab] as Kith, one.type, count, expected)
  }
  await Promise.all(losing)
  for (const kith of [...tabs, ...tabs]) await coreOf(kith).store.refresh()
  for (const kith of tabs) expectAll(kith, expected)
  tabs[0]?.connect()
  for (const kith of tabs) await kith.whenSynced()
  expect(tabs.map(kith => kith.unsent)).toEqual([0, 0, 0])
  const other = await world.device(user)
  await other.whenSynced()
  for (const kith of [...tabs, other]) expectAll(kith, expected)
  expect(errors.filter(error => !error.startsWith('database-lost'))).toEqual([])
  await Promise.all([...tabs, other].map(kith => kith.close()))
}

async function act(
  kith: Kith,
  type: Exclude<Step['type'], 'lose' | 'turn'>,
  count: number,
  expected: Expected,
): Promise<void> {
  const person = `person-${count}`
  switch (type) {
    case 'set':
      expected.fields.set(`field-${count}`, count)
      return kith.ownProfile.set(`field-${count}`, count)
    case 'unset': {
      const [name] = Object.keys(kith.ownProfile.fields.get(0) ?? {})
      if (name === undefined) return
      expected.fields.delete(name)
      return kith.ownProfile.unset(name)
    }
    case 'label': {
      expected.labels.set(person, 'somebody')
      const profile = kith.getProfile(person)
      profile.setLabel('somebody')
      return profile.save()
    }
    case 'block': {
      expected.blocked.add(person)
      const profile = kith.getProfile(person)
      profile.block(true)
      return profile.save()
    }
    case 'remove': {
      const labels = coreOf(kith).store.documents.roster.view.entries('labels')
      const [[known] = []] = [...labels]
      if (known === undefined) return
      expected.labels.delete(known)
      return kith.getProfile(known).remove()
    }
    case 'come':
      return kith.connect()
    case 'leave':
      return kith.disconnect()
  }
}

function expectAll(kith: Kith, { fields, labels, blocked }: Expected): void {
  const { roster } = coreOf(kith).store.documents
  expect(Object.fromEntries(fields)).toEqual(kith.ownProfile.fields.get(0) ?? {})
  expect(new Map(roster.view.entries('labels') as Iterable<[string, string]>)).toEqual(labels)
  const shut = [...roster.view.entries('blocks')].map(([key]) => key.slice(key.indexOf('/') + 1))
  expect(shut.sort()).toEqual([...blocked].sort())
}

function cut(kith: Kith): void {
  const db = dexieOf(kith)
  if (db.isOpen()) forceCloseDatabase(db.backendDB() as never)
}
