import { check, type Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import {
  type Audience,
  type FieldValue,
  grantKey,
  type KeyChange,
  type Limits,
  profileKey,
  profileRoot,
} from '@kith/shared'
import { decodeFields } from '@kith/shared/wire'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AccountWorld, accountsOver, type WritingDevice } from '../support/account-world.ts'
import { holdsAsync } from '../support/properties.ts'
import { relationOf } from '../support/server-internals.ts'
import { newDatabase, storeOver } from '../support/stores.ts'

/** The same state in plain sets. Everything that the server derives must equal what is computed from these. */
interface Person {
  isRegistered: boolean
  isRestricted: boolean
  audience: Audience
  autoSync: boolean
  contacts: Set<string>
  grants: Map<string, Set<number>>
  follows: Set<string>
  declined: Set<string>
  blocks: Set<string>
  fields: Map<number, Map<string, FieldValue>>
}

function newPerson(): Person {
  return {
    isRegistered: false,
    isRestricted: false,
    audience: 'everyone',
    autoSync: true,
    contacts: new Set(),
    grants: new Map(),
    follows: new Set(),
    declined: new Set(),
    blocks: new Set(),
    fields: new Map(),
  }
}

const names = ['ann', 'ben', 'cat', 'dan'] as const

type Step = { user: string; other: string; on: boolean } & (
  | {
      does:
        | 'contact'
        | 'follow'
        | 'decline'
        | 'block'
        | 'autoSync'
        | 'restrict'
        | 'pair'
        | 'connect'
        | 'erase'
        | 'confirm'
        | 'promote'
    }
  | { does: 'grant'; level: number }
  | { does: 'audience'; audience: Audience }
  | { does: 'field'; level: number; value: string }
)

function steps(): fc.Arbitrary<Step[]> {
  const who = { user: fc.constantFrom(...names), other: fc.constantFrom(...names), on: fc.boolean() }
  const often = fc.constantFrom<Step['does'] & ('contact' | 'follow')>('contact', 'follow')
  const seldom = fc.constantFrom<Step['does'] & ('decline' | 'block')>('decline', 'block')
  const level = fc.constantFrom(0, 1, 255)
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ ...who, does: often }) },
    { weight: 6, arbitrary: fc.record({ ...who, does: fc.constant('grant' as const), level }) },
    { weight: 3, arbitrary: fc.record({ ...who, does: seldom }) },
    { weight: 2, arbitrary: fc.record({ ...who, does: fc.constantFrom('autoSync' as const, 'restrict' as const) }) },
    { weight: 3, arbitrary: fc.record({ ...who, does: fc.constantFrom('pair' as const, 'promote' as const) }) },
    { weight: 4, arbitrary: fc.record({ ...who, does: fc.constant('connect' as const) }) },
    { weight: 2, arbitrary: fc.record({ ...who, does: fc.constantFrom('erase' as const, 'confirm' as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        ...who,
        does: fc.constant('audience' as const),
        audience: fc.constantFrom<Audience>('everyone', 'contacts', 'nobody'),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ ...who, does: fc.constant('field' as const), level, value: fc.constantFrom('x', 'y') }),
    },
  )
  return fc.array(step, { maxLength: 40, size: 'max' })
}

/** The server and the model, advanced by the same steps. */
class World {
  readonly people = new Map<string, Person>(names.map(name => [name, newPerson()]))
  readonly pairs = new Set<string>()
  /** `giver user`: the user was erased since, and the giver has not confirmed the new holder. */
  readonly unconfirmed = new Set<string>()
  #devices = new Map<string, WritingDevice>()
  #accounts: AccountWorld
  #store: Store

  constructor(store: Store, accounts: AccountWorld) {
    this.#store = store
    this.#accounts = accounts
  }

  person(name: string): Person {
    return this.people.get(name) as Person
  }

  /** Starts some steps together, so that groups of commits form. `settle` waits for all of them. */
  take(step: Step): Promise<unknown> | undefined {
    const { user, other, on } = step
    const person = this.person(user)
    const isSelf = user === other
    const set = (all: Set<string>, root: string): void => {
      this.#edit(user, { root, key: other, value: on || undefined })
      if (on && !isSelf) all.add(other)
      else all.delete(other)
    }
    switch (step.does) {
      case 'contact':
        return void set(person.contacts, 'contacts')
      case 'follow':
        return void set(person.follows, 'subscriptions')
      case 'decline':
        return void set(person.declined, 'declined')
      case 'block':
        this.#edit(user, { root: 'blocks', key: `nonce-nonce/${other}`, value: on || undefined })
        if (on && !isSelf) person.blocks.add(other)
        else person.blocks.delete(other)
        return undefined
      case 'grant': {
        this.#edit(user, { root: 'grants', key: grantKey(step.level, other), value: on || undefined })
        const levels = person.grants.get(other) ?? new Set()
        person.grants.set(other, levels)
        if (on && !isSelf) levels.add(step.level)
        else levels.delete(step.level)
        return undefined
      }
      case 'audience':
        for (const name of ['contactsOnly', 'nobody'] as const) {
          const isSet = step.audience === (name === 'nobody' ? 'nobody' : 'contacts')
          this.#edit(user, { root: 'privacy', key: `nonce-nonce/${name}`, value: isSet || undefined })
        }
        person.audience = step.audience
        return undefined
      case 'autoSync':
        person.autoSync = on
        return this.#edit(user, { root: 'settings', key: 'autoSync', value: on })
      case 'field': {
        const key = profileKey(step.level, 'writer-writer', 'name')
        this.#edit(user, { root: profileRoot, key, value: on ? step.value : undefined })
        const fields = person.fields.get(step.level) ?? new Map()
        person.fields.set(step.level, fields)
        if (on) fields.set('name', step.value)
        else fields.delete('name')
        return undefined
      }
      case 'connect':
        person.isRegistered = true
        this.#device(user).connect()
        return undefined
      case 'restrict':
        person.isRestricted = on
        person.isRegistered = true
        return this.#store.commit({ type: 'user', user, restricted: on })
      case 'pair':
        if (isSelf) return undefined
        this.pairs[on ? 'add' : 'delete']([user, other].sort().join(' '))
        return this.#store.commit({ type: 'pair', a: user, b: other, isPaired: on })
      case 'promote':
        return this.#store.commit({ type: 'promote', user })
      case 'confirm':
        return this.#confirm(user, other)
      case 'erase':
        this.people.set(user, { ...newPerson(), isRestricted: person.isRestricted })
        for (const giver of names) {
          this.unconfirmed.delete(`${user} ${giver}`)
          if (this.#gives(giver, user)) this.unconfirmed.add(`${giver} ${user}`)
        }
        for (const one of names) this.pairs.delete([user, one].sort().join(' '))
        this.#devices.delete(user)
        return this.#accounts.accounts.erase(user)
    }
  }

  /** Whether what one roster gives to another user counts [D7]. */
  counts(giver: string, user: string): boolean {
    return !this.unconfirmed.has(`${giver} ${user}`)
  }

  /** What was taken back and is given again is given to the present holder [D7]. */
  forgetTakenBack(): void {
    for (const pair of this.unconfirmed) {
      const [giver, user] = pair.split(' ') as [string, string]
      if (!this.#gives(giver, user)) this.unconfirmed.delete(pair)
    }
  }

  #gives(giver: string, user: string): boolean {
    const { contacts, follows, grants } = this.person(giver)
    return contacts.has(user) || follows.has(user) || (grants.get(user)?.size ?? 0) > 0
  }

  async #confirm(user: string, other: string): Promise<void> {
    if (user === other) return
    const { unconfirmed } = (await relationOf(this.#store, user, other)).mySide
    expect(unconfirmed !== '').toBe(!this.counts(user, other))
    if (unconfirmed === '') return
    this.unconfirmed.delete(`${user} ${other}`)
    this.#edit(user, { root: 'confirmed', key: `${unconfirmed}/${other}`, value: true })
  }

  settle(): Promise<void> {
    return this.#accounts.accounts.idle()
  }

  get failures(): unknown[] {
    return [...this.#devices.values()].flatMap(({ failures, refused }) => [...failures, ...refused])
  }

  #edit(user: string, change: KeyChange): undefined {
    this.#device(user).edit([change])
  }

  #device(user: string): WritingDevice {
    const known = this.#devices.get(user) ?? this.#accounts.device(user)
    this.#devices.set(user, known)
    return known
  }

  isPaired(a: string, b: string): boolean {
    return this.pairs.has([a, b].sort().join(' '))
  }

  /** V1–V3, written out again. */
  visible(viewerName: string, ownerName: string): number[] {
    const [viewer, owner] = [this.person(viewerName), this.person(ownerName)]
    if (!viewer.isRegistered || !owner.isRegistered) return []
    if (viewer.blocks.has(ownerName) || owner.blocks.has(viewerName)) return []
    if ((viewer.isRestricted || owner.isRestricted) && !this.isPaired(viewerName, ownerName)) return []
    const isCounting = this.counts(ownerName, viewerName)
    const levels = new Set(isCounting ? owner.grants.get(viewerName) : [])
    const isGranted = levels.size > 0
    const isInAudience =
      owner.audience === 'everyone' || (owner.audience === 'contacts' && isCounting && owner.contacts.has(viewerName))
    if (isGranted || isInAudience) levels.add(0)
    return [...levels].sort((a, b) => a - b)
  }

  follows(viewer: string, owner: string): boolean {
    return this.person(viewer).follows.has(owner) && this.counts(viewer, owner)
  }

  isUnaskedCandidate(viewerName: string, ownerName: string): boolean {
    const viewer = this.person(viewerName)
    const isGiven = (this.person(ownerName).grants.get(viewerName)?.size ?? 0) > 0
    const isGranted = isGiven && this.counts(ownerName, viewerName)
    const isAgainst =
      this.follows(viewerName, ownerName) || viewer.declined.has(ownerName) || viewer.blocks.has(ownerName)
    return viewer.autoSync && isGranted && !isAgainst
  }
}

async function play(story: readonly Step[], batches: readonly boolean[], limits: Partial<Limits>): Promise<void> {
  const database = await newDatabase('memory')
  const clock = new TestClock()
  const store = storeOver(database, clock, limits)
  const world = new World(store, accountsOver(store, clock, limits))
  for (const [index, step] of story.entries()) {
    const done = world.take(step)
    // The account's queue and the backend's calls have separate orders. An erasure and the steps after it must not be mixed.
    const nextDoes = story[index + 1]?.does
    const readsFirst = step.does === 'confirm' || nextDoes === 'confirm'
    const mustWait = step.does === 'erase' || step.does === 'restrict' || nextDoes === 'erase' || readsFirst
    // One commit may take back and give again.
    if (mustWait || world.unconfirmed.size > 0 || batches[index % batches.length]) {
      await done
      await world.settle()
      world.forgetTakenBack()
    }
  }
  await world.settle()
  await store.commit({ type: 'promote', user: 'ann' })
  expect(world.failures).toEqual([])
  expect((await check(database)).findings).toEqual([])
  await compare(store, world, limits)
}

async function compare(store: Store, world: World, limits: Partial<Limits>): Promise<void> {
  const { follows: mostFollows = 20_000, unaskedOwners = 2_000 } = limits
  for (const viewer of names) {
    const person = world.person(viewer)
    const user = await store.user(viewer)
    expect(user.registeredAt > 0).toBe(person.isRegistered)
    const follows = names.filter(owner => world.follows(viewer, owner))
    expect(user.follows + user.waiting).toBe(follows.length)
    expect(user.follows).toBeLessThanOrEqual(mostFollows)
    expect(user.unasked).toBeLessThanOrEqual(unaskedOwners)
    const places: { isContact: boolean; isUnasked: boolean }[] = []
    for (const owner of names.filter(name => name !== viewer)) {
      const relation = await relationOf(store, viewer, owner)
      const isCandidate = world.isUnaskedCandidate(viewer, owner)
      const isContact = person.contacts.has(owner) && world.counts(viewer, owner)
      if (isCandidate) places.push({ isContact, isUnasked: relation.isUnasked })
      const isServed = follows.includes(owner as never) && !relation.isWaiting
      const isWanted = isServed || (isCandidate && relation.isUnasked)
      expect([viewer, owner, relation.shown]).toEqual([viewer, owner, isWanted ? world.visible(viewer, owner) : []])
      expect(relation.isPaired).toBe(world.isPaired(viewer, owner))
    }
    // All candidates are shown, up to the limit, contacts first.
    expect(places.filter(({ isUnasked }) => isUnasked)).toHaveLength(Math.min(unaskedOwners, places.length))
    const isContactLeftOut = places.some(({ isContact, isUnasked }) => isContact && !isUnasked)
    const isStrangerIn = places.some(({ isContact, isUnasked }) => !isContact && isUnasked)
    expect(isContactLeftOut && isStrangerIn).toBe(false)
    const levels = await store.levels([0, 1, 255].map(level => ({ owner: viewer, level })))
    const fields = levels.map(level => (level ? decodeFields(level.fields) : {}))
    expect(fields).toEqual([0, 1, 255].map(level => Object.fromEntries(person.fields.get(level) ?? [])))
  }
}

const batches = (): fc.Arbitrary<boolean[]> => fc.array(fc.boolean(), { minLength: 1, maxLength: 10 })

test('[D4][V3][F4] after any changes of rosters, profiles and the backend, each viewer is shown what the rules say', async () => {
  await holdsAsync(
    fc.asyncProperty(steps(), batches(), (story, when) => play(story, when, {})),
    120,
  )
})

test('[D4][S3][F4] after any changes at the limits, follows wait, contacts come first, and `check` finds no difference', async () => {
  await holdsAsync(
    fc.asyncProperty(steps(), batches(), (story, when) => play(story, when, { follows: 1, unaskedOwners: 1 })),
    120,
  )
})
