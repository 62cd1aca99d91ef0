import { applyChanges, defaultLimits, type KeyChange, rosterRoots } from '@kith/shared'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { inPieces, piecesOf } from '../support/client-internals.ts'
import { mergeContext } from '../support/merge-context.ts'
import { holds } from '../support/properties.ts'
import { entry, type RawStruct, rawUpdate } from '../support/raw-update.ts'
import {
  admit,
  ItemsByClient,
  MergingCost,
  mergeUpdates,
  RelationPlaces,
  rosterRules,
  StoredDocument,
  updateSlices,
} from '../support/server-internals.ts'

const rules = rosterRules(defaultLimits)

class Phone {
  readonly doc: Y.Doc

  constructor(client: number, keepsGarbage = false) {
    this.doc = new Y.Doc({ gc: !keepsGarbage })
    for (const root of rosterRoots) this.doc.getMap(root)
    this.doc.clientID = client
  }

  edit(...changes: KeyChange[]): void {
    applyChanges(this.doc, changes)
  }

  get update(): Uint8Array {
    return Y.encodeStateAsUpdate(this.doc)
  }
}

function meet(a: Phone, b: Phone): void {
  const [forA, forB] = [
    Y.encodeStateAsUpdate(b.doc, Y.encodeStateVector(a.doc)),
    Y.encodeStateAsUpdate(a.doc, Y.encodeStateVector(b.doc)),
  ]
  Y.applyUpdate(a.doc, forA)
  Y.applyUpdate(b.doc, forB)
}

/** Returns the content of an empty server after these updates. Fails if it refuses one. */
function taken(updates: readonly Uint8Array[]): Record<string, unknown> {
  const document = new StoredDocument('roster', [])
  for (const update of updates) {
    document.apply(apply => {
      expect(admit(document.doc, update, rules)).toMatchObject({ state: 'admitted' })
      apply(update)
    })
  }
  return contentOf(document.doc)
}

function contentOf(doc: Y.Doc): Record<string, unknown> {
  return Object.fromEntries(rosterRoots.map(root => [root, doc.getMap(root).toJSON()]))
}

function costOf(doc: Y.Doc, update: Uint8Array): MergingCost {
  const { structs } = Y.decodeUpdate(update)
  const items = new ItemsByClient(structs.filter(struct => struct instanceof Y.Item))
  const cost = new MergingCost(doc, items, new RelationPlaces(doc, items))
  while (!cost.advance());
  return cost
}

/** Counts the items that Yjs compares with while it applies an update. Yjs adds each one to two sets. */
function comparisonsOf(doc: Y.Doc, update: Uint8Array): number {
  const { add } = Set.prototype
  let noted = 0
  Set.prototype.add = function (value) {
    if (value instanceof Y.Item) noted++
    return add.call(this, value)
  }
  try {
    Y.applyUpdate(doc, update)
  } finally {
    Set.prototype.add = add
  }
  return noted / 2
}

for (const days of [62, 600]) {
  for (const clients of [
    [70_000_001, 70_000_002],
    [90_000_002, 90_000_001, 90_000_003],
  ]) {
    test(`[D6][S1] an empty server admits, complete and in pieces, what ${clients.length} devices wrote concurrently: a hundred labels once a day for ${days} days`, () => {
      const phones = clients.map(client => new Phone(client))
      for (let day = 0; day < days; day++) {
        for (const [index, phone] of phones.entries()) {
          // The last of three devices is away most of the time.
          if (index === 2 && day % 50 !== 0) continue
          const labels = days > 100 ? 20 : 100
          for (let who = 0; who < labels; who++) {
            phone.edit({ root: 'labels', key: `person ${who}`, value: `${index} on day ${day}` })
          }
        }
        for (const [index, phone] of phones.entries()) {
          if (index > 0 && (index === 1 || day % 50 === 0)) meet(phones[0] as Phone, phone)
        }
      }
      for (const phone of phones) {
        expect(taken([phone.update])).toEqual(contentOf(phone.doc))
        expect(taken(inPieces(phone.update, 64 * 1024, phone.doc))).toEqual(contentOf(phone.doc))
        expect(costOf(new Y.Doc(), phone.update).isBounded).toBe(true)
      }
    }, 120_000)
  }
}

const story = fc.record({
  clients: fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 32 - 1 }), { minLength: 2, maxLength: 5 }),
  keys: fc.constantFrom(1, 3, 40),
  days: fc.array(
    fc.record({
      edits: fc.array(
        fc.record({ at: fc.nat(4), key: fc.nat(39), count: fc.integer({ min: 1, max: 30 }), on: fc.boolean() }),
        {
          maxLength: 12,
        },
      ),
      meetings: fc.array(fc.tuple(fc.nat(4), fc.nat(4)), { maxLength: 3 }),
    }),
    { minLength: 5, maxLength: 40, size: 'max' },
  ),
  maxBytes: fc.constantFrom(60, 700, 20_000),
})

test('[D6][S1] an empty server admits, complete and in pieces, documents of devices that edit and synchronise at random', () => {
  holds(
    fc.property(story, ({ clients, keys, days, maxBytes }) => {
      const phones = clients.map(client => new Phone(client))
      const phoneOf = (index: number): Phone => phones[index % phones.length] as Phone
      for (const { edits, meetings } of days) {
        for (const { at, key, count, on } of edits) {
          for (let time = 0; time < count; time++) {
            const changed = { root: 'labels', key: `person ${(key + time) % keys}` }
            phoneOf(at).edit({ ...changed, value: on || time % 3 > 0 ? `${at} ${time}` : undefined })
          }
        }
        for (const [a, b] of meetings) if (phoneOf(a) !== phoneOf(b)) meet(phoneOf(a), phoneOf(b))
      }
      const server = new Phone(0)
      for (const { doc, update } of phones) {
        expect(taken([update])).toEqual(contentOf(doc))
        const pieces = inPieces(update, maxBytes, doc)
        expect(taken(pieces)).toEqual(contentOf(doc))
        for (const piece of pieces)
          expect(piece.length <= maxBytes || Y.decodeUpdate(piece).structs.length === 1).toBe(true)
        // What each device has in addition, in pieces that depend on what the server has by now.
        const lacking = Y.encodeStateAsUpdate(doc, Y.encodeStateVector(server.doc))
        for (const piece of inPieces(lacking, maxBytes, doc)) {
          const cost = costOf(server.doc, piece)
          expect(cost.isBounded).toBe(true)
          const comparisons = comparisonsOf(server.doc, piece)
          expect(comparisons).toBeLessThanOrEqual(cost.steps)
        }
        Y.applyUpdate(doc, server.update)
        expect(contentOf(server.doc)).toEqual(contentOf(doc))
      }
    }),
    40,
  )
}, 120_000)

test('[D6] an update in pieces begins with its removals of other updates, and any prefix of the pieces can be applied', () => {
  const [phone, server] = [new Phone(5), new Phone(9)]
  for (let who = 0; who < 50; who++) phone.edit({ root: 'grants', key: `1/person ${who}`, value: true })
  Y.applyUpdate(server.doc, phone.update)
  const known = Y.encodeStateVector(server.doc)
  for (let who = 0; who < 50; who += 2) phone.edit({ root: 'grants', key: `1/person ${who}`, value: undefined })
  for (let who = 0; who < 500; who++) phone.edit({ root: 'contacts', key: `person ${who}`, value: true })
  const { removals, content } = piecesOf(Y.encodeStateAsUpdate(phone.doc, known), 400, phone.doc, [])
  for (const piece of removals) Y.applyUpdate(server.doc, piece)
  expect([...server.doc.getMap('grants').keys()].length).toBe(25)
  expect(content.length).toBeGreaterThan(10)
  for (const piece of content) {
    Y.applyUpdate(server.doc, piece)
    expect(server.doc.store.pendingStructs).toBe(null)
  }
  expect(contentOf(server.doc)).toEqual(contentOf(phone.doc))
})

test('[S1] estimating the merging cost of an update takes hardly more steps than the cost limit', () => {
  const run: RawStruct = { content: { is: 'deleted', length: 60_000 }, parent: 'contacts', key: 'a' }
  const siblings = Array.from({ length: 30_000 }, () => entry('contacts', 'a', true))
  const splits = Array.from({ length: 60_000 }, (_, clock) => entry('contacts', 'a', true, { client: 5, clock }))
  const many = Array.from({ length: 30_000 }, (_, index) => ({
    client: index + 1,
    clock: 0,
    structs: [entry('contacts', 'a', true)],
  }))
  const hostile = [
    [{ client: 5, clock: 0, structs: siblings }],
    many,
    [...many].reverse(),
    [
      { client: 5, clock: 0, structs: [run] },
      { client: 6, clock: 0, structs: splits },
    ],
  ]
  for (const blocks of hostile) {
    const cost = costOf(new Y.Doc(), rawUpdate(blocks))
    expect(cost.isBounded).toBe(false)
    expect(cost.steps).toBeLessThan(cost.mostSteps + 65_000)
  }
})

/** The document of a device that set three keys alternately for years. None of its structs can be merged with another one. */
function inTurns(times: number, client = 5): Uint8Array {
  const structs = Array.from({ length: times }, (_, clock) =>
    clock < 3 ? entry('labels', `person ${clock}`, 'x') : entry('', '', 'x', { client, clock: clock - 3 }),
  )
  return rawUpdate([{ client, clock: 0, structs }])
}

/** The update of a device that has seen only the first value of each of the three keys. */
function late(client: number): Uint8Array {
  const structs = [0, 1, 2].map(clock => entry('', '', 'y', { client: 5, clock }))
  return rawUpdate([{ client, clock: 0, structs }])
}

test('[D6][S1] a device that was away while another one set three labels 20,000 times each may set them, too', () => {
  for (const client of [4, 6]) {
    const document = new StoredDocument('roster', [])
    const device = new Phone(7)
    for (const update of [inTurns(60_000), late(client)]) {
      document.apply(apply => {
        expect(admit(document.doc, update, rules)).toMatchObject({ state: 'admitted' })
        apply(update)
      })
      Y.applyUpdate(device.doc, update)
    }
    expect(contentOf(document.doc)).toEqual(contentOf(device.doc))
  }
})

test('[D6][S1] an empty server admits what 8,000 loads of a page wrote that keeps no data and had seen nothing', () => {
  const loads = Array.from({ length: 8_000 }, (_, index) => ({
    client: index + 1,
    clock: 0,
    structs: [entry('settings', 'opened', index)],
  }))
  expect(admit(new Y.Doc(), rawUpdate(loads), rules)).toMatchObject({ state: 'admitted' })
})

const years = fc.record({
  clients: fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 32 - 1 }), { minLength: 2, maxLength: 4 }),
  keys: fc.integer({ min: 2, max: 5 }),
  /** How often each device writes between two meetings. There are few meetings. */
  spans: fc.array(fc.array(fc.integer({ min: 0, max: 2_500 }), { minLength: 4, maxLength: 4 }), {
    minLength: 2,
    maxLength: 4,
  }),
})

test('[D6][S1] servers admit the histories of years: what devices wrote by the thousand while they were apart, complete and one after the other', () => {
  holds(
    fc.property(years, ({ clients, keys, spans }) => {
      const phones = clients.map(client => new Phone(client))
      for (const span of spans) {
        for (const [index, phone] of phones.entries()) {
          phone.doc.transact(() => {
            for (let time = 0; time < (span[index] ?? 0); time++) {
              phone.doc.getMap('labels').set(`person ${time % keys}`, `${index} ${time}`)
            }
          })
        }
        const [first, ...others] = phones as [Phone, ...Phone[]]
        for (const other of others.slice(0, -1)) meet(first, other)
      }
      const updates = phones.map(({ update }) => update)
      const whole = taken(updates)
      for (const [index, phone] of phones.entries()) {
        expect(taken([updates[index] as Uint8Array])).toEqual(contentOf(phone.doc))
        for (const update of updates) Y.applyUpdate(phone.doc, update)
        expect(whole).toEqual(contentOf(phone.doc))
      }
    }),
    5,
  )
}, 120_000)

test('[S1] an update of a thousand new items may take as many steps as ten thousand devices that write one key take, and no more', () => {
  const items = Array.from({ length: 1_000 }, (_, index) => entry('contacts', `c${index}`, true))
  const update = rawUpdate([{ client: 6, clock: 0, structs: items }])
  const { mostSteps } = costOf(new Y.Doc(), update)
  expect(mostSteps).toBeGreaterThan(16_000_000)
  expect(mostSteps).toBeLessThan(17_000_000)
})

test('[S1] a document that is merged in slices of any size is the same, and nothing waits in between', () => {
  holds(
    fc.property(
      fc.record({
        story,
        sizes: fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
        withGarbage: fc.boolean(),
      }),
      ({ story: { clients, keys, days }, sizes, withGarbage }) => {
        const phones = clients.map(client => new Phone(client, withGarbage))
        const phoneOf = (index: number): Phone => phones[index % phones.length] as Phone
        for (const { edits, meetings } of days) {
          for (const { at, key, count, on } of edits) {
            for (let time = 0; time < count; time++) {
              const changed = { root: 'labels', key: `person ${(key + time) % keys}` }
              phoneOf(at).edit({ ...changed, value: on || time % 3 > 0 ? `${at} ${time}` : undefined })
            }
          }
          for (const [a, b] of meetings) if (phoneOf(a) !== phoneOf(b)) meet(phoneOf(a), phoneOf(b))
        }
        const document = new StoredDocument('roster', [])
        for (const { update } of phones) {
          const admission = admit(document.doc, update, rules)
          if (admission.state !== 'admitted') throw new Error(admission.state)
          const items = admission.merging.slices.flat()
          const slices: Y.Item[][] = [[]]
          for (let turn = 0; items.length > 0; turn++) slices.push(items.splice(0, sizes[turn % sizes.length]))
          const expected = new Phone(0)
          Y.applyUpdate(expected.doc, Y.encodeStateAsUpdate(document.doc))
          const device = new Phone(0)
          Y.applyUpdate(device.doc, Y.encodeStateAsUpdate(document.doc))
          Y.applyUpdate(expected.doc, update)
          const transactions = document.begin()
          for (const slice of updateSlices(document.doc, slices, admission.removals)) {
            // Throws if something is left pending.
            transactions.apply(apply => apply(slice))
          }
          const applied = transactions.end()
          expect(contentOf(document.doc)).toEqual(contentOf(expected.doc))
          expect(Y.encodeStateVector(document.doc)).toEqual(Y.encodeStateVector(expected.doc))
          if (applied) Y.applyUpdate(device.doc, applied.relayed)
          expect(contentOf(device.doc)).toEqual(contentOf(expected.doc))
        }
      },
    ),
    40,
  )
}, 120_000)

/**
 * Two labels that were set alternately, 10,000 times each, and an update in which this many devices, which had seen only the
 * first value of one label, set it.
 */
function costly(devices: number, value: string): { document: StoredDocument; late: Uint8Array } {
  const document = new StoredDocument('roster', [])
  const structs = Array.from({ length: 20_000 }, (_, clock) =>
    clock < 2 ? entry('labels', `person ${clock}`, 'x') : entry('', '', 'x', { client: 5, clock: clock - 2 }),
  )
  document.apply(apply => apply(rawUpdate([{ client: 5, clock: 0, structs }])))
  const late = Array.from({ length: devices }, (_, index) => ({
    client: 6 + index,
    clock: 0,
    structs: [entry('', '', value, { client: 5, clock: 0 })],
  }))
  return { document, late: rawUpdate(late) }
}

test.each([
  ['costs more than an update may', 2_000, 'late', 'malformed', {}],
  ['exceeds a size limit', 16, 'l'.repeat(100), 'roster-too-large', { rosterBytes: 100 }],
] as const)(
  '[S1][S2] an update that is judged in slices and %s is refused as a whole, and the update after it is admitted',
  (_, devices, value, code, limits) => {
    const { document, late } = costly(devices, value)
    const next = rawUpdate([{ client: 3, clock: 0, structs: [entry('contacts', 'carol', true)] }])
    const work = mergeUpdates('roster', document, [late, next], { ...defaultLimits, ...limits }, mergeContext)
    let slices = 0
    let step = work.next()
    for (; !step.done; step = work.next()) slices++
    expect(slices).toBeGreaterThan(1)
    expect(step.value.outcomes).toMatchObject([{ state: 'refused', code }, { state: 'admitted' }])
    // The cost of judging the refused update is charged.
    expect(step.value.steps).toBeGreaterThanOrEqual(2 ** 16)
    expect(document.doc.getMap('labels').toJSON()).toEqual({ 'person 0': 'x', 'person 1': 'x' })
    expect(document.doc.getMap('contacts').toJSON()).toEqual({ carol: true })
    const [onDisk, relayed] = [new Y.Doc(), new Y.Doc()]
    Y.applyUpdate(relayed, step.value.relayed as Uint8Array)
    Y.applyUpdateV2(onDisk, step.value.roster?.snapshot ?? (step.value.roster?.update as Uint8Array))
    for (const doc of [onDisk, relayed]) expect(doc.getMap('contacts').toJSON()).toEqual({ carol: true })
  },
  60_000,
)

test('[S2][D6] a roster of as many entries as fit into its limit is admitted in one update, as stock providers send it', () => {
  const doc = new Y.Doc()
  doc.transact(() => {
    for (let index = 0; index < 270_000; index++)
      doc.getMap('grants').set(`${index % 3}/user ${index % 90_000}/${index}`, true)
  })
  const update = Y.encodeStateAsUpdate(doc)
  expect(admit(new Y.Doc(), update, rosterRules(defaultLimits))).toMatchObject({ state: 'admitted' })
}, 60_000)

test('[S2] an item of an update is found by each of its clocks, and nothing is found before, between or behind the items', () => {
  const owners = new Y.Doc()
  owners.clientID = 7
  for (const key of ['a', 'b', 'c', 'd', 'e']) applyChanges(owners, [{ root: 'labels', key, value: key }])
  const { structs } = Y.decodeUpdate(Y.encodeStateAsUpdate(owners))
  const items = structs.filter(struct => struct instanceof Y.Item)
  expect(items).toHaveLength(5)
  for (const kept of [[], [1], [0, 2], [1, 3], [1, 2, 4], [0, 1, 2, 3, 4]]) {
    const some = kept.map(index => items[index] as Y.Item)
    const byClient = new ItemsByClient(some)
    for (let clock = 0; clock < 6; clock++) {
      const id = Y.createID(7, clock)
      expect([kept, clock, byClient.find(id)]).toEqual([kept, clock, some.find(item => item.id.clock === clock)])
    }
    expect(byClient.find(Y.createID(8, 0))).toBe(undefined)
  }
})
