import { setImmediate } from 'node:timers/promises'
import { TestClock } from '@kith/server/testing'
import type { Fields } from '@kith/shared'
import { decodeFields, decodeFrame, encodeFields, fieldsDigest } from '@kith/shared/wire'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { atOnce } from '../support/outlets.ts'
import { holdsAsync } from '../support/properties.ts'
import {
  Feed,
  following,
  profileChange,
  type Receiver,
  Relay,
  rosterChange,
  userChange,
} from '../support/server-internals.ts'
import { newDatabase, storeOver } from '../support/stores.ts'

const levels = [0, 1, 2] as const
const outstandingBytes = 400

type Operation =
  | { does: 'edit'; edits: { level: number; field: number; isUnset: boolean }[] }
  | { does: 'grant'; levels: number[] }
  | { does: 'leave' | 'return' | 'stall' | 'read' | 'fetch'; phone: number }
  | { does: 'erase' | 'settle' }

const edits = fc.array(fc.record({ level: fc.constantFrom(...levels), field: fc.nat(5), isUnset: fc.boolean() }), {
  minLength: 1,
  maxLength: 4,
})
const phoneDoes = fc.constantFrom(
  'leave' as const,
  'return' as const,
  'stall' as const,
  'read' as const,
  'fetch' as const,
)
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ does: fc.constant('edit' as const), edits }) },
  { weight: 3, arbitrary: fc.record({ does: phoneDoes, phone: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('grant' as const), levels: fc.subarray([1, 2]) }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constantFrom('settle' as const, 'settle' as const, 'erase' as const) }),
  },
)

/** One of Bob's devices: its replica of Alice, and a network that may stall or break. */
class Phone {
  readonly held: Map<number, Fields> = new Map()
  readonly wrong: string[] = []
  /** The types of the received frames with content. */
  readonly forms: string[] = []
  isReading = true
  feed: Feed | undefined
  #cursor: Uint8Array = new Uint8Array()
  #session: Receiver | undefined
  #inFlight: Uint8Array[] = []
  readonly #relay: Relay
  readonly #takesDifferences: boolean
  /** Alice's fields on disk, as far as they were reported. */
  readonly #stands: ReadonlyMap<number, Fields>

  constructor(relay: Relay, takesDifferences: boolean, stands: ReadonlyMap<number, Fields>) {
    this.#relay = relay
    this.#takesDifferences = takesDifferences
    this.#stands = stands
  }

  async connect(): Promise<void> {
    if (this.feed) return
    const inFlight: Uint8Array[] = []
    this.#inFlight = inFlight
    const outlet = {
      get outstandingBytes() {
        return inFlight.reduce((sum, { length }) => sum + length, 0)
      },
      together: atOnce,
      send: (frame: Uint8Array) => {
        this.#expectCurrent(frame)
        inFlight.push(frame)
        if (this.isReading) this.#deliver()
      },
      fail: (error: unknown) => void this.wrong.push(String(error)),
    }
    const feed = new Feed('bob', this.#relay, outlet, outstandingBytes, this.#takesDifferences)
    this.feed = feed
    this.#session = sessionOf(feed)
    this.#relay.join(this.#session)
    const { since } = await feed.resume(this.#cursor)
    if (since === undefined) this.held.clear()
    await feed.open(since)
  }

  disconnect(): void {
    if (this.#session) this.#relay.leave(this.#session)
    this.#session = undefined
    this.feed = undefined
    this.#inFlight = []
  }

  read(): void {
    this.isReading = true
    this.#deliver()
    this.feed?.onTaken()
  }

  async caughtUp(): Promise<void> {
    this.read()
    const { feed } = this
    if (feed) await new Promise<void>(resolve => feed.whenCaughtUp(resolve))
  }

  #deliver(): void {
    for (const bytes of this.#inFlight.splice(0)) this.#take(bytes)
  }

  /** Only fields that are current on disk may be handed over [V5]. */
  #expectCurrent(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes)
    if (frame.type !== 'profile' && frame.type !== 'difference') return
    const standing = this.#stands.get(frame.level) ?? {}
    for (const [name, value] of Object.entries(frame.fields)) {
      if (standing[name] !== value) this.wrong.push(`${name} is handed over as ${value}, and is ${standing[name]} [V5]`)
    }
  }

  #take(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes)
    if ('cursor' in frame && frame.cursor.length > 0) this.#cursor = frame.cursor
    if (frame.type === 'profile' || frame.type === 'difference') this.forms.push(frame.type)
    if (frame.type === 'access') {
      for (const level of this.held.keys()) if (!frame.levels.includes(level)) this.held.delete(level)
    } else if (frame.type === 'profile') this.held.set(frame.level, frame.fields)
    else if (frame.type === 'difference') {
      const held = this.held.get(frame.level) ?? {}
      const next: Fields = { ...held, ...frame.fields }
      for (const name of frame.removed) {
        if (!Object.hasOwn(held, name)) this.wrong.push(`${name} is named, which was never shown [V5]`)
        delete next[name]
      }
      if (!Buffer.from(fieldsDigest(next)).equals(frame.digest)) this.wrong.push('a difference to another state')
      this.held.set(frame.level, next)
    }
  }
}

function sessionOf(feed: Feed): Receiver {
  const nothing = (): void => undefined
  return {
    ...{ user: 'bob', feed, hasArrived: true, outstandingBytes: 0, heldBytes: 0, say: nothing },
    ...{ founderOf: nothing as () => undefined, outdate: nothing, sendOwn: nothing },
  }
}

/** Two of Bob's devices follow Alice: one accepts differences, the other does not. */
async function scene() {
  const store = storeOver(await newDatabase('memory'), new TestClock())
  const stands = new Map<number, Fields>()
  const stopNoting = store.onCommit({
    committed: commits => {
      for (const commit of commits) {
        if (commit.subjects[0] !== 'alice') continue
        for (const [level, fields] of commit.levels) stands.set(level, decodeFields(fields))
      }
    },
  })
  const relay = new Relay(store, () => true)
  const stop = store.onCommit(relay.listener)
  const phones = [true, false].map(takesDifferences => new Phone(relay, takesDifferences, stands))
  const alice = new Map<number, Fields>()
  await store.commit(userChange('alice'))
  await store.commit(following('bob', 'alice'))
  for (const phone of phones) await phone.connect()
  return {
    ...{ store, alice, stands, phones: phones as [Phone, Phone] },
    /** Sets or removes one of Alice's fields. */
    edit(level: number, field: string, value: string | undefined): Promise<unknown> {
      const { [field]: _, ...rest } = alice.get(level) ?? {}
      const fields: Fields = value === undefined ? rest : { ...rest, [field]: value }
      alice.set(level, fields)
      const profile = { update: new Uint8Array([0, 0]), levels: new Map([[level, encodeFields(fields)]]) }
      return store.commit({ ...profileChange('alice', {}), profile })
    },
    async end() {
      for (const phone of phones) phone.disconnect()
      stop()
      stopNoting()
      await store.close()
      expect(phones.flatMap(({ wrong }) => wrong)).toEqual([])
    },
  }
}

/** Makes Alice's edits one after another without waiting. Checks what both devices hold of her in the end and in between. */
async function run(operations: readonly Operation[]): Promise<number> {
  const { store, alice, stands, phones, edit, end } = await scene()
  let granted: number[] = []
  let values = 0
  const commits: Promise<unknown>[] = []
  const settle = async (): Promise<void> => {
    await Promise.all(commits.splice(0))
    for (const phone of phones) {
      await phone.caughtUp()
      if (!phone.feed) continue
      const seen = [...alice].filter(([level, fields]) => isSeen(level, granted) && Object.keys(fields).length > 0)
      const held = [...phone.held].filter(([, fields]) => Object.keys(fields).length > 0)
      expect(new Map(held)).toEqual(new Map(seen))
    }
  }
  for (const one of operations) {
    const phone = 'phone' in one ? (phones[one.phone] as Phone) : undefined
    switch (one.does) {
      case 'edit':
        for (const { level, field, isUnset } of one.edits) {
          const value = isUnset ? undefined : `value ${values++} ${'x'.repeat(40)}`
          commits.push(edit(level, `f${field}`, value))
        }
        break
      case 'grant':
        granted = one.levels
        commits.push(store.commit(rosterChange('alice', { bob: { levels: granted } })))
        break
      case 'erase':
        await settle()
        await store.commit({ type: 'erase', user: 'alice' })
        alice.clear()
        granted = []
        stands.clear()
        await store.commit(userChange('alice'))
        await store.commit(rosterChange('bob', { alice: { isSubscribed: false } }))
        await store.commit(following('bob', 'alice'))
        break
      case 'leave':
        phone?.disconnect()
        break
      case 'return':
        await phone?.connect()
        break
      case 'stall':
        if (phone) phone.isReading = false
        break
      case 'read':
        phone?.read()
        break
      case 'fetch':
        phone?.feed?.fetch('alice')
        break
      case 'settle':
        await settle()
    }
    // Some operations meet a batch in progress, others do not.
    if (values % 3 === 0) await setImmediate()
  }
  for (const phone of phones) await phone.connect()
  await settle()
  await end()
  expect(phones[1].forms).not.toContain('difference')
  return phones[0].forms.filter(form => form === 'difference').length
}

function isSeen(level: number, granted: readonly number[]): boolean {
  return level === 0 || granted.includes(level)
}

test('[F1][V4][V5] whatever happens, a device that takes differences holds what one without them holds: what its owner shows', {
  timeout: 120_000,
}, async () => {
  let differences = 0
  await holdsAsync(
    fc.asyncProperty(fc.array(operation, { minLength: 10, maxLength: 60, size: 'max' }), async operations => {
      differences += await run(operations)
    }),
    150,
  )
  expect(differences).toBeGreaterThan(100)
})

test('[F2] a device that reads nothing is sent the newest state whole when it reads, and differences from then on', async () => {
  const { phones, edit, end } = await scene()
  const [phone] = phones
  for (let n = 0; n < 8; n++) await edit(0, `field ${n}`, `${n} `.repeat(20))
  await phone.caughtUp()
  phone.forms.length = 0
  phone.isReading = false
  for (let round = 0; round < 20; round++) await edit(0, 'field 3', `round ${round} ${'y'.repeat(60)}`)
  await edit(0, 'field 4', undefined)
  await phone.caughtUp()
  expect(phone.forms).toEqual(['difference', 'difference', 'profile'])
  await edit(0, 'field 3', 'three')
  await phone.caughtUp()
  expect(phone.forms.at(-1)).toBe('difference')
  expect([phone.held.get(0)?.['field 3'], phone.held.get(0)?.['field 4']]).toEqual(['three', undefined])
  await end()
})
