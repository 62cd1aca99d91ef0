import {
  applyChanges,
  defaultLimits,
  flatMapsOf,
  type KeyChange,
  profileRoot,
  retiredRoot,
  rosterRoots,
  userOfKey,
} from '@kith/shared'
import fc from 'fast-check'
import * as encoding from 'lib0/encoding'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { holds } from '../support/properties.ts'
import {
  entry,
  type RawBlock,
  type RawContent,
  type RawRange,
  type RawStruct,
  rawUpdate,
} from '../support/raw-update.ts'
import {
  type Admission,
  admit,
  type DocumentName,
  profileRules,
  rosterRules,
  StoredDocument,
} from '../support/server-internals.ts'

const rules = { roster: rosterRules(defaultLimits), profile: profileRules(defaultLimits) }

/** A server's document, and the way in which an account handles updates to it. */
class Server {
  readonly document: StoredDocument
  #name: DocumentName

  constructor(name: DocumentName = 'roster', ...updates: Uint8Array[]) {
    this.#name = name
    this.document = new StoredDocument(name, [])
    for (const update of updates) expect(this.take(update)).toMatchObject({ state: 'admitted' })
  }

  take(update: Uint8Array): Admission {
    let admission: Admission | undefined
    const before = this.state
    this.document.apply(apply => {
      admission = admit(this.document.doc, update, rules[this.#name])
      if (admission.state === 'admitted') apply(update)
    })
    if (admission?.state !== 'admitted') expect(Buffer.compare(this.state, before)).toBe(0)
    this.#examine()
    return admission as Admission
  }

  get state(): Uint8Array {
    return Y.encodeStateAsUpdate(this.document.doc)
  }

  content(): Record<string, unknown> {
    return contentOf(this.document.doc)
  }

  /**
   * Checks any accepted content: only known roots, well-formed keys, values of the right kinds, and the document can be stored.
   */
  #examine(): void {
    const { doc } = this.document
    const roots = this.#name === 'roster' ? rosterRoots : [profileRoot]
    const known: readonly string[] = [...roots, retiredRoot]
    expect([...doc.share.keys()].every(root => known.includes(root))).toBe(true)
    const wrong: string[] = []
    for (const root of roots) {
      const map = doc.getMap(root)
      if (map._start) wrong.push(`${root} has a list`)
      for (const [key, item] of map._map) {
        const isWrong = !item.deleted && rules[this.#name].check(root, key, map.get(key) as never)
        if (isWrong || item.parentSub !== key) wrong.push(`${root} ${key}`)
      }
    }
    expect(wrong).toEqual([])
  }
}

/** Reads only existing roots, because reading a missing root would create it. */
function contentOf(doc: Y.Doc): Record<string, unknown> {
  const roots = [...rosterRoots, profileRoot].filter(root => doc.share.has(root))
  const contents = roots.map(root => [root, Object.fromEntries(flatMapsOf(doc).entries(root))] as const)
  return Object.fromEntries(contents.filter(([, content]) => Object.keys(content).length > 0))
}

function refused(admission: Admission): string {
  expect(admission.state).toBe('refused')
  return admission.state === 'refused' ? admission.code : ''
}

const contact = (client: number, key: string, value: unknown = true, clock = 0): Uint8Array =>
  rawUpdate([{ client, clock, structs: [entry('contacts', key, value)] }])

describe('[S2] content that is not a flat document is refused, and changes nothing', () => {
  const one = (struct: RawStruct): Uint8Array => rawUpdate([{ client: 7, clock: 0, structs: [struct] }])
  const inContacts = (content: RawContent): Uint8Array => one({ content, parent: 'contacts', key: 'bob' })
  let nested: unknown[] = []
  for (let depth = 0; depth < 100; depth++) nested = [nested]

  test.each<[string, Uint8Array]>([
    ['a nested map', inContacts({ is: 'type', ref: 1 })],
    ['a nested array', inContacts({ is: 'type', ref: 0 })],
    ['a nested text', inContacts({ is: 'type', ref: 2 })],
    ['a sub-document', inContacts({ is: 'doc', guid: 'g' })],
    ['an embed', inContacts({ is: 'embed', json: '{}' })],
    ['a format', inContacts({ is: 'format', key: 'b', json: 'true' })],
    ['text as content', inContacts({ is: 'string', text: 'x' })],
    ['JSON as content', inContacts({ is: 'json', values: ['true'] })],
    ['several values in one item', inContacts({ is: 'any', values: [true, true] })],
    ['no value in an item', inContacts({ is: 'any', values: [] })],
    ['no value in an item of an unknown root', one({ content: { is: 'any', values: [] }, parent: 'x', key: 'y' })],
    ['an empty text of an unknown root', one({ content: { is: 'string', text: '' }, parent: 'x', key: 'y' })],
    ['removed content of length 0', inContacts({ is: 'deleted', length: 0 })],
    ['null', inContacts({ is: 'any', values: [null] })],
    ['undefined', inContacts({ is: 'any', values: [undefined] })],
    ['an object', inContacts({ is: 'any', values: [{ a: 1 }] })],
    ['an object of a hostile shape', inContacts({ is: 'any', values: [JSON.parse('{"__proto__":{"polluted":1}}')] })],
    ['an array', inContacts({ is: 'any', values: [[true]] })],
    ['arrays in arrays', inContacts({ is: 'any', values: [nested] })],
    ['a big integer', inContacts({ is: 'any', values: [1n] })],
    ['bytes in a roster', inContacts({ is: 'binary', bytes: new Uint8Array(3) })],
    ['false for a contact', contact(7, 'bob', false)],
    ['an unknown root', one(entry('friends', 'bob', true))],
    ['a root named __proto__', one(entry('__proto__', 'bob', true))],
    ['a root of profiles', one(entry(profileRoot, '0/writer-12/name', 'x'))],
    ['an item of a list', one({ content: { is: 'any', values: [true] }, parent: 'contacts' })],
    ['an item before another', one({ content: { is: 'any', values: [true] }, rightOrigin: { client: 1, clock: 0 } })],
    [
      'an item within an item',
      one({ content: { is: 'any', values: [true] }, parent: { client: 1, clock: 0 }, key: 'x' }),
    ],
    ['garbage', one({ gc: 1 })],
    ['garbage of a huge length', one({ gc: 2 ** 40 })],
    ['removed content of a huge length', inContacts({ is: 'deleted', length: 2 ** 53 - 1 })],
    ['a follow of no user id', one(entry('subscriptions', ' bob', true))],
    ['a grant of no level', one(entry('grants', '256/bob', true))],
    ['a grant of a level with a zero before it', one(entry('grants', '01/bob', true))],
    ['a block without a nonce', one(entry('blocks', 'bob', true))],
    ['a label that is a number', one(entry('labels', 'bob', 3))],
    ['a setting without a name', one(entry('settings', '', true))],
    ['a key of privacy without a nonce', one(entry('privacy', 'nobody', true))],
    ['a removed entry of an unknown root', one(entry('friends', 'bob', undefined))],
    ['a removed entry of a malformed key', one(entry('grants', 'x/bob', undefined))],
  ])('[S2] %s', (_, update) => {
    const server = new Server('roster', contact(1, 'alice'))
    expect(refused(server.take(update))).toBe('malformed')
  })

  test('[S2] other roots and other keys of a profile are refused', () => {
    for (const [root, key] of [
      ['contacts', '0/writer-12/name'],
      ['x', '0/writer-12/name'],
      [profileRoot, 'name'],
      [profileRoot, '256/writer-12/name'],
    ] as const) {
      expect(refused(new Server('profile').take(one(entry(root, key, 'Ada'))))).toBe('malformed')
    }
  })

  test('[S3] a label, a setting and a field name that are too long are refused with their codes', () => {
    const long = 'x'.repeat(257)
    expect(refused(new Server().take(one(entry('labels', 'bob', long))))).toBe('label-too-long')
    expect(refused(new Server().take(one(entry('settings', 'theme', long))))).toBe('label-too-long')
    expect(refused(new Server().take(one(entry('labels', 'bob', 'é'.repeat(129)))))).toBe('label-too-long')
    const key = `0/writer-12/${'é'.repeat(33)}`
    expect(refused(new Server('profile').take(one(entry(profileRoot, key, 1))))).toBe('field-name-too-long')
  })

  test('[S2] keys and values that are names of JavaScript are like any other', () => {
    const server = new Server('roster', contact(1, '__proto__'), contact(2, 'constructor'))
    const label = one(entry('labels', '__proto__', '__proto__'))
    expect(server.take(label)).toMatchObject({ state: 'admitted', adds: 'content' })
    expect(server.document.doc.getMap('labels').get('__proto__')).toBe('__proto__')
  })

  test('[S2] an entry that replaces another belongs to the parent of that entry, whatever parent it names', () => {
    const server = new Server('roster', contact(1, 'bob'))
    const asLabel = entry('labels', 'bob', 'Bob', { client: 1, clock: 0 })
    expect(refused(server.take(one(asLabel)))).toBe('malformed')
    expect(server.take(one(entry('contacts', 'bob', true, { client: 1, clock: 0 }))).state).toBe('admitted')
    const chain = rawUpdate([
      { client: 20, clock: 0, structs: [entry('contacts', 'eve', true)] },
      { client: 21, clock: 0, structs: [entry('', '', 'a label', { client: 20, clock: 0 })] },
    ])
    expect(refused(server.take(chain))).toBe('malformed')
  })

  test('[S2] an item before its origin, and items that wait for each other, are refused', () => {
    const server = new Server()
    const first = entry('contacts', 'a', true, { client: 5, clock: 1 })
    const second = entry('contacts', 'a', true)
    expect(refused(server.take(rawUpdate([{ client: 5, clock: 0, structs: [first, second] }])))).toBe('malformed')
    const itself = entry('contacts', 'a', true, { client: 5, clock: 0 })
    expect(refused(server.take(rawUpdate([{ client: 5, clock: 0, structs: [itself] }])))).toBe('malformed')
    const knot = [
      { client: 5, clock: 0, structs: [entry('contacts', 'a', true, { client: 6, clock: 1 })] },
      { client: 6, clock: 0, structs: [entry('contacts', 'a', true, { client: 5, clock: 0 }), second] },
    ]
    expect(refused(server.take(rawUpdate(knot)))).toBe('malformed')
  })

  test('[S2] an item to the left of another, or inside another item’s type, is refused', () => {
    const server = new Server('roster', contact(1, 'bob'))
    const id = { client: 1, clock: 0 }
    const content: RawContent = { is: 'any', values: [true] }
    const entries: RawStruct[] = [
      { content, rightOrigin: id },
      { content, origin: id, rightOrigin: id },
      { content, parent: id, key: 'bob' },
    ]
    for (const struct of entries) expect(refused(server.take(one(struct)))).toBe('malformed')
    expect(server.take(one(entry('contacts', 'bob', true, id))).state).toBe('admitted')
  })

  test('[S2] two blocks of one client, of which Yjs would see only the last, are refused', () => {
    const blocks = [
      { client: 5, clock: 0, structs: [entry('contacts', 'a', true)] },
      { client: 5, clock: 1, structs: [entry('contacts', 'b', true)] },
    ]
    expect(refused(new Server().take(rawUpdate(blocks)))).toBe('malformed')
  })

  test('[S2] an item whose origin has another key is refused', () => {
    const known = { client: 5, clock: 0, structs: [entry('contacts', 'a', undefined)] }
    const server = new Server('roster', rawUpdate([known]))
    const longer: RawStruct = { content: { is: 'deleted', length: 3 }, parent: 'contacts', key: 'b' }
    expect(refused(server.take(rawUpdate([{ client: 5, clock: 0, structs: [longer] }])))).toBe('malformed')
    const same: RawStruct = { content: { is: 'deleted', length: 3 }, parent: 'contacts', key: 'a' }
    expect(server.take(rawUpdate([{ client: 5, clock: 0, structs: [same] }])).state).toBe('admitted')
  })

  test('[S2] removals that overlap, are out of order or empty are refused', () => {
    const server = new Server('roster', contact(1, 'a'), contact(1, 'b', true, 1))
    const removals = (...ranges: [number, number][]): Uint8Array =>
      rawUpdate(
        [],
        ranges.map(([clock, length]) => ({ client: 1, clock, length })),
      )
    expect(refused(server.take(removals([0, 1], [0, 1])))).toBe('malformed')
    expect(refused(server.take(removals([1, 1], [0, 1])))).toBe('malformed')
    expect(refused(server.take(removals([0, 0])))).toBe('malformed')
    expect(refused(server.take(removals([2, 0])))).toBe('malformed')
    expect(server.take(removals([0, 1], [1, 1]))).toMatchObject({ state: 'admitted', adds: 'nothing' })
    expect(server.content()).toEqual({})
  })

  test('[S2] an update whose predecessors the server lacks is incomplete, not a violation', () => {
    const server = new Server('roster', contact(1, 'a'))
    const missing: [RawBlock[], RawRange[]][] = [
      [[{ client: 1, clock: 2, structs: [entry('contacts', 'b', true)] }], []],
      [[{ client: 2, clock: 0, structs: [entry('contacts', 'a', true, { client: 1, clock: 1 })] }], []],
      [[{ client: 2, clock: 0, structs: [entry('contacts', 'a', true, { client: 9, clock: 0 })] }], []],
      [[{ client: 2, clock: 0, structs: [{ skip: 3 }, entry('contacts', 'a', true)] }], []],
      [[], [{ client: 1, clock: 0, length: 2 }]],
      [[], [{ client: 9, clock: 0, length: 1 }]],
      [[], [{ client: 9, clock: 0, length: 2 ** 50 }]],
    ]
    for (const [blocks, removals] of missing) expect(server.take(rawUpdate(blocks, removals)).state).toBe('missing')
  })

  test('[S1] bytes that are not an update are refused: empty, text, huge counts, an array of a billion', () => {
    const counts = encoding.createEncoder()
    for (const number of [2 ** 50, 2 ** 50, 2 ** 50, 2 ** 50]) encoding.writeVarUint(counts, number)
    const deep = inContacts({ is: 'any', values: [] })
    const array = deep.slice(0, deep.indexOf(8, 12))
    const nestedBytes = new Uint8Array(1_000_000).fill(117).map((byte, index) => (index % 2 ? 1 : byte))
    for (const bytes of [
      new Uint8Array(),
      new TextEncoder().encode('{"type":"update"}'),
      encoding.toUint8Array(counts),
      Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255),
      Uint8Array.from([...array, 1, ...nestedBytes.subarray(0, 200_000)]),
      Uint8Array.from([1, 1, 7, 0, 40, 1, 1, 97, 1, 98, 255, 255, 255, 255, 15]),
    ]) {
      expect(new Server().take(bytes).state).not.toBe('admitted')
    }
  })
})

describe('[S1] hostile updates cost no more than they weigh', () => {
  const many = 60_000

  test('[S1] a million concurrent values of one key, by one client or by many, are refused', () => {
    const byOne = { client: 5, clock: 0, structs: Array.from({ length: many }, () => entry('contacts', 'a', true)) }
    expect(refused(new Server().take(rawUpdate([byOne])))).toBe('malformed')
    const byMany = Array.from({ length: many / 4 }, (_, index) => ({
      client: index + 1,
      clock: 0,
      structs: [entry('contacts', 'a', true)],
    }))
    expect(refused(new Server().take(rawUpdate(byMany)))).toBe('malformed')
  })

  test('[S1] one value is admitted that Yjs has to compare with tens of thousands of others, and costs as much', () => {
    const takingTurns = (count: number): Uint8Array => {
      const blocks = [5, 6].map(client => ({
        client,
        clock: 0,
        structs: Array.from({ length: count / 2 }, (_, clock) => {
          const before = client === 6 ? { client: 5, clock } : { client: 6, clock: clock - 1 }
          return client === 5 && clock === 0 ? entry('contacts', 'a', true) : entry('', '', true, before)
        }),
      }))
      return rawUpdate(blocks)
    }
    const lateBy = (client: number): Uint8Array =>
      rawUpdate([{ client, clock: 0, structs: [entry('', '', true, { client: 5, clock: 0 })] }])
    const stepsOf = (count: number, client: number): number => {
      const admission = new Server('roster', takingTurns(count)).take(lateBy(client))
      return admission.state === 'admitted' ? admission.merging.steps : 0
    }
    for (const count of [10_000, 40_000]) {
      const steps = stepsOf(count, 9)
      expect([steps >= count, steps < 1.2 * count]).toEqual([true, true])
      // A lower client id is placed before the others: it is compared with only one.
      expect(stepsOf(count, 4)).toBeLessThan(count / 4)
    }
  })

  test('[S1] entries that each split a long run of removed ones are refused', () => {
    const run: RawStruct = { content: { is: 'deleted', length: many }, parent: 'contacts', key: 'a' }
    const server = new Server('roster', rawUpdate([{ client: 5, clock: 0, structs: [run] }]))
    const splits = Array.from({ length: many }, (_, clock) => entry('contacts', 'a', true, { client: 5, clock }))
    expect(refused(server.take(rawUpdate([{ client: 6, clock: 0, structs: splits }])))).toBe('malformed')
    // Such entries cannot hide behind content that the server has already.
    const known = new Server('roster', rawUpdate([{ client: 5, clock: 0, structs: [run] }]))
    const contacts = Array.from({ length: many }, (_, index) => entry('contacts', `user ${index}`, true))
    expect(known.take(rawUpdate([{ client: 6, clock: 0, structs: contacts }])).state).toBe('admitted')
    expect(refused(known.take(rawUpdate([{ client: 6, clock: 0, structs: splits }])))).toBe('malformed')
  })

  test('[S1] removals that each span everything are refused', () => {
    const contacts = Array.from({ length: many }, (_, index) => entry('contacts', `user ${index}`, true))
    const server = new Server('roster', rawUpdate([{ client: 6, clock: 0, structs: contacts }]))
    const removals = Array.from({ length: many }, () => ({ client: 6, clock: 0, length: many }))
    expect(refused(server.take(rawUpdate([], removals)))).toBe('malformed')
  })

  test('[S1] chains over tens of thousands of items and clients are followed to their end', () => {
    const chain = Array.from({ length: many }, (_, clock) =>
      clock === 0 ? entry('contacts', 'a', true) : entry('', '', true, { client: 5, clock: clock - 1 }),
    )
    const server = new Server()
    expect(server.take(rawUpdate([{ client: 5, clock: 0, structs: chain }])).state).toBe('admitted')
    const clients = Array.from({ length: 20_000 }, (_, index) => ({
      client: index + 10,
      clock: 0,
      structs: [index === 0 ? entry('contacts', 'b', true) : entry('', '', true, { client: index + 9, clock: 0 })],
    }))
    for (const blocks of [clients, [...clients].reverse()]) {
      expect(new Server().take(rawUpdate(blocks)).state).toBe('admitted')
    }
  })
})

describe('[S1][S2] random hostile updates are refused without a trace, or admitted', () => {
  const id = fc.record({ client: fc.integer({ min: 1, max: 4 }), clock: fc.nat(6) })
  const content: fc.Arbitrary<RawContent> = fc.oneof(
    { weight: 6, arbitrary: fc.constant<RawContent>({ is: 'any', values: [true] }) },
    { weight: 2, arbitrary: fc.record({ is: fc.constant('deleted' as const), length: fc.nat(4) }) },
    {
      weight: 1,
      arbitrary: fc.record({ is: fc.constant('any' as const), values: fc.array(fc.constant(true), { maxLength: 3 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom<RawContent>(
        { is: 'string', text: 'ab' },
        { is: 'type', ref: 1 },
        { is: 'any', values: ['x'] },
      ),
    },
  )
  const struct: fc.Arbitrary<RawStruct> = fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record({
        content,
        origin: fc.option(id, { nil: undefined, freq: 2 }),
        parent: fc.constantFrom('contacts', 'contacts', 'subscriptions', 'labels', 'other'),
        key: fc.constantFrom('a', 'b'),
      }),
    },
    { weight: 1, arbitrary: fc.record({ gc: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ skip: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ content, rightOrigin: id }) },
  )
  const block = fc.record({
    client: fc.integer({ min: 1, max: 4 }),
    clock: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(5) }),
    structs: fc.array(struct, { minLength: 1, maxLength: 5 }),
  })
  const range = fc.record({ client: fc.integer({ min: 1, max: 4 }), clock: fc.nat(6), length: fc.nat(3) })
  const update = fc
    .tuple(fc.array(block, { maxLength: 4 }), fc.array(range, { maxLength: 2 }))
    .map(([blocks, removals]) => rawUpdate(blocks, removals))

  test('[S1][S2] structs of any shape in any order are refused without a trace, or admitted completely', () => {
    let admitted = 0
    holds(
      fc.property(fc.array(update, { minLength: 1, maxLength: 5 }), updates => {
        const server = new Server()
        for (const each of updates) if (server.take(each).state === 'admitted') admitted++
        expect(new StoredDocument('roster', [Y.encodeStateAsUpdateV2(server.document.doc)]).doc.toJSON()).toEqual(
          server.document.doc.toJSON(),
        )
        const other = new Y.Doc()
        Y.applyUpdate(other, server.state)
        expect(contentOf(other)).toEqual(server.content())
        expect(other.store.pendingStructs).toBeNull()
      }),
      2500,
    )
    expect(admitted).toBeGreaterThan(300)
  })

  test('[S1][S2] a real update that was cut, flipped or mixed is refused without a trace, or admitted completely', () => {
    const [alice, base] = [device(11), device(12)]
    alice.edit(rosterEdits(0, 12))
    base.edit(rosterEdits(5, 8))
    const [full, known] = [Y.encodeStateAsUpdate(alice.doc), Y.encodeStateAsUpdate(base.doc)]
    const damage = fc.record({
      cut: fc.option(fc.nat(full.length), { nil: undefined }),
      flips: fc.array(fc.record({ at: fc.nat(full.length - 1), bit: fc.nat(7) }), { maxLength: 4 }),
      tail: fc.uint8Array({ maxLength: 8 }),
    })
    holds(
      fc.property(damage, fc.boolean(), ({ cut, flips, tail }, isKnown) => {
        const bytes = full.slice()
        for (const { at, bit } of flips) bytes[at] = (bytes[at] as number) ^ (1 << bit)
        const server = new Server('roster', known, ...(isKnown ? [full] : []))
        server.take(Uint8Array.from([...bytes.subarray(0, cut), ...tail]))
      }),
      1500,
    )
  })

  test('[S1] random bytes are refused without a trace, or admitted', () => {
    holds(
      fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
        new Server('profile').take(bytes)
      }),
      1500,
    )
  })
})

describe('[S2] updates of real documents are admitted', () => {
  test('[S2] updates of devices that edit and merge in any order are admitted, with or without garbage collection', () => {
    const step = fc.record({
      at: fc.nat(2),
      does: fc.constantFrom('edit', 'edit', 'edit', 'meet', 'send', 'send', 'sendAll') as fc.Arbitrary<string>,
      other: fc.nat(2),
      from: fc.nat(6),
      on: fc.boolean(),
    })
    const ids = fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 32 - 1 }), { minLength: 3, maxLength: 3 })
    holds(
      fc.property(
        ids,
        fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
        fc.array(step, { maxLength: 40, size: 'max' }),
        (clients, gc, story) => {
          const server = new Server()
          const devices = clients.map((client, index) => device(client, gc[index]))
          for (const { at, does, other, from, on } of story) {
            const one = devices[at] as Device
            if (does === 'edit') one.edit(rosterEdits(from, from + 3, on))
            else if (does === 'meet') meet(one, devices[other] as Device)
            else if (does === 'send' && one.unsent.length > 0) {
              const updates = one.unsent.splice(0, from + 1)
              expect(server.take(on ? Y.mergeUpdates(updates) : (updates[0] as Uint8Array)).state).not.toBe('refused')
            } else if (does === 'sendAll') {
              const missing = Y.encodeStateAsUpdate(one.doc, Y.encodeStateVector(server.document.doc))
              expect(server.take(missing).state).toBe('admitted')
            }
          }
          for (const { doc } of devices) {
            expect(server.take(Y.encodeStateAsUpdate(doc)).state).toBe('admitted')
            Y.applyUpdate(doc, server.state)
          }
          for (const { doc } of devices) {
            Y.applyUpdate(doc, server.state)
            expect(contentOf(doc)).toEqual(server.content())
          }
        },
      ),
      150,
    )
  })

  test('[S2] thousands of overwrites are admitted, singly and as one merged update, under one client id or many', () => {
    const alice = device(3)
    const server = new Server()
    for (let round = 0; round < 3000; round++) alice.edit([{ root: 'labels', key: 'bob', value: `Bob ${round}` }])
    expect(server.take(Y.mergeUpdates(alice.unsent)).state).toBe('admitted')
    expect(server.take(Y.encodeStateAsUpdate(alice.doc)).state).toBe('admitted')
    expect(server.content()['labels']).toEqual({ bob: 'Bob 2999' })
    const often = device(4)
    for (let load = 1; load <= 3000; load++) {
      often.doc.clientID = load + 100
      often.edit([{ root: 'settings', key: 'theme', value: load }])
    }
    expect(server.take(Y.encodeStateAsUpdate(often.doc)).state).toBe('admitted')
    expect(new Server('roster', ...often.unsent.slice(0, 1500)).content()['settings']).toEqual({ theme: 1500 })
  })

  test('[S2] documents that keep overwritten values are admitted: without garbage collection, or with an UndoManager', () => {
    const keeping = device(3, false)
    const undoing = device(4)
    const undo = new Y.UndoManager(undoing.doc.getMap('labels'))
    for (const { edit } of [keeping, undoing]) {
      for (let round = 0; round < 30; round++) edit([{ root: 'labels', key: 'bob', value: `Bob ${round}` }])
    }
    undo.undo()
    for (const { doc, unsent } of [keeping, undoing]) {
      const server = new Server('roster', Y.encodeStateAsUpdate(doc))
      expect(server.content()).toEqual(contentOf(doc))
      // Values that the owner overwrote do not reach the disk [V5].
      expect(Buffer.from(server.state).includes('Bob 3')).toBe(false)
      expect(new Server('roster', Y.mergeUpdates(unsent)).content()).toEqual(contentOf(doc))
    }
  })

  test('[S2] a phone book of thousands that three devices synchronised concurrently is admitted', () => {
    const server = new Server()
    const all = [1, 2, 3].map(client => device(client))
    for (const { doc, edit } of all) {
      edit(rosterEdits(0, 5000))
      expect(server.take(Y.encodeStateAsUpdate(doc)).state).toBe('admitted')
    }
    expect(server.take(Y.mergeUpdates(all.map(({ doc }) => Y.encodeStateAsUpdate(doc)))).state).toBe('admitted')
  })

  test('[S2] profile fields of every kind of value, and their removals, are admitted', () => {
    const alice = device(3)
    const values = [
      '',
      'Ada',
      0,
      -1.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      true,
      false,
      new Uint8Array([1, 2]),
      new Uint8Array(),
    ]
    alice.edit(
      values.map((value, index) => ({ root: profileRoot, key: `${index}/writer-12/a name / of ${index}`, value })),
    )
    const server = new Server('profile', Y.encodeStateAsUpdate(alice.doc))
    expect(server.content()).toEqual(contentOf(alice.doc))
    alice.edit(
      values.map((_, index) => ({
        root: profileRoot,
        key: `${index}/writer-12/a name / of ${index}`,
        value: undefined,
      })),
    )
    expect(server.take(alice.unsent.at(-1) as Uint8Array)).toMatchObject({ state: 'admitted', adds: 'nothing' })
    expect(new Server('profile').take(Y.encodeStateAsUpdate(alice.doc))).toMatchObject({
      state: 'admitted',
      adds: 'history',
    })
  })
})

interface Device {
  doc: Y.Doc
  unsent: Uint8Array[]
  edit: (changes: readonly KeyChange[]) => void
}

function device(client: number, gc = true): Device {
  const doc = new Y.Doc({ gc })
  doc.clientID = client
  const unsent: Uint8Array[] = []
  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin !== 'met') unsent.push(update)
  })
  return { doc, unsent, edit: changes => applyChanges(doc, changes) }
}

function meet(a: Device, b: Device): void {
  const forB = Y.encodeStateAsUpdate(a.doc, Y.encodeStateVector(b.doc))
  Y.applyUpdate(a.doc, Y.encodeStateAsUpdate(b.doc, Y.encodeStateVector(a.doc)), 'met')
  Y.applyUpdate(b.doc, forB, 'met')
}

/** Edits of the entries of some users, cycling through the roots; or the removal of these entries. */
function rosterEdits(from: number, to: number, on = true): KeyChange[] {
  const changes: KeyChange[] = []
  for (let index = from; index < to; index++) {
    const user = `user ${index}`
    changes.push({ root: 'contacts', key: user, value: on || undefined })
    changes.push({ root: 'grants', key: `${index % 3}/${user}`, value: on || undefined })
    changes.push({ root: 'labels', key: user, value: on ? `label ${from} ${to}` : undefined })
    changes.push({ root: 'subscriptions', key: user, value: on ? undefined : true })
  }
  expect(changes.every(({ root, key }) => userOfKey(root as never, key) !== undefined)).toBe(true)
  return changes
}
