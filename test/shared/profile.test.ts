import {
  type FieldValue,
  flatMapsOf,
  mergeLevels,
  parseProfileKey,
  planField,
  profileBytes,
  profileFields,
  profileKey,
  profileRoot,
  sameValue,
} from '@kith/shared'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { holds } from '../support/properties.ts'
import { clientIds, contentOf, meet, meetAll, type Replica, replica } from '../support/replicas.ts'

interface Device extends Replica {
  writer: string
}

describe('[R6] concurrent sets and unsets of one field at one level give the same result on all devices', () => {
  test('[R6] a set beats a concurrent unset', () => {
    holds(
      fc.property(clientIds(2), writers(2), (ids, names) => {
        const [phone, tablet] = devices(ids, names) as [Device, Device]
        set(phone, 'name', 'Ada')
        meet(phone, tablet)
        set(phone, 'name', 'Ada L.')
        set(tablet, 'name', undefined)
        meet(phone, tablet)
        for (const each of [phone, tablet]) expect(value(each, 'name')).toBe('Ada L.')
      }),
      50,
    )
  })

  test('[R6] a set beats a concurrent unset also when the unsetting device has set and unset the field meanwhile', () => {
    holds(
      fc.property(clientIds(2), writers(2), fc.boolean(), fc.boolean(), (ids, names, isSetBefore, isByTablet) => {
        const [phone, tablet] = devices(ids, names) as [Device, Device]
        if (isSetBefore) set(isByTablet ? tablet : phone, 'name', 'before')
        meet(phone, tablet)
        set(phone, 'name', 'Ada')
        set(tablet, 'name', 'Grace')
        set(tablet, 'name', undefined)
        meet(phone, tablet)
        for (const each of [phone, tablet]) expect(value(each, 'name')).toBe('Ada')
      }),
      50,
    )
  })

  test('[R6] a set beats a concurrent unset also when it restores a value that another device had overruled', () => {
    const [phone, tablet, laptop] = devices([1, 2, 3], ['aaaaaaaa', 'bbbbbbbb', 'cccccccc']) as [Device, Device, Device]
    set(phone, 'name', 'Ada')
    set(tablet, 'name', 'Grace')
    meetAll([phone, tablet, laptop])
    expect(value(phone, 'name')).toBe('Grace')
    set(phone, 'name', 'Ada')
    set(laptop, 'name', undefined)
    meetAll([phone, tablet, laptop])
    for (const each of [phone, tablet, laptop]) expect(value(each, 'name')).toBe('Ada')
  })

  test('[R6] one of several concurrent sets wins on all devices, and a later set then stands alone', () => {
    holds(
      fc.property(clientIds(3), writers(3), (ids, names) => {
        const all = devices(ids, names)
        all.forEach((device, index) => {
          set(device, 'name', `from ${index}`)
        })
        meetAll(all)
        const winner = value(all[0] as Device, 'name')
        expect(['from 0', 'from 1', 'from 2']).toContain(winner)
        for (const each of all) expect(value(each, 'name')).toBe(winner)
        for (const each of all) {
          set(each, 'name', `later by ${each.writer}`)
          meetAll(all)
          expect(contentOf(all[0] as Device, [profileRoot])).toEqual([
            [profileRoot, profileKey(0, each.writer, 'name'), `later by ${each.writer}`],
          ])
        }
      }),
      50,
    )
  })

  test('[R6] any interleaving of sets, unsets and meetings ends as a model of plain sets says', () => {
    // A set or unset overrules only the sets that its device had seen.
    interface Event {
      value: string | undefined
      writer: string
      seen: ReadonlySet<Event>
    }
    const standing = (seen: ReadonlySet<Event>): Event[] =>
      [...seen].filter(event => event.value !== undefined && ![...seen].some(other => other.seen.has(event)))
    const shown = (seen: ReadonlySet<Event>): string | undefined =>
      standing(seen).reduce<Event | undefined>((a, b) => (a && a.writer > b.writer ? a : b), undefined)?.value
    const step = fc.oneof(
      fc.record({ device: fc.nat(2), value: fc.option(fc.constantFrom('Ada', 'Grace', 'Edsger'), { nil: undefined }) }),
      fc.record({ device: fc.nat(2), meets: fc.nat(2) }),
    )
    holds(
      fc.property(clientIds(3), writers(3), fc.array(step, { maxLength: 40, size: 'max' }), (ids, names, steps) => {
        const all = devices(ids, names).map(device => ({ device, seen: new Set<Event>() }))
        for (const each of steps) {
          const here = all[each.device] as (typeof all)[number]
          if ('meets' in each) {
            const there = all[each.meets] as (typeof all)[number]
            meet(here.device, there.device)
            here.seen = new Set([...here.seen, ...there.seen])
            there.seen = new Set(here.seen)
          } else {
            const before = standing(here.seen)
            // If the value is already the only one, it is not written again [R3].
            const isSame = before.length === (each.value === undefined ? 0 : 1) && before[0]?.value === each.value
            if (!isSame) {
              here.seen.add({ value: each.value, writer: here.device.writer, seen: new Set(here.seen) })
            }
            set(here.device, 'name', each.value)
          }
          expect(value(here.device, 'name')).toBe(shown(here.seen))
        }
        const everything = new Set(all.flatMap(({ seen }) => [...seen]))
        meetAll(all.map(({ device }) => device))
        for (const { device } of all) {
          expect(value(device, 'name')).toBe(shown(everything))
          expect(contentOf(device, [profileRoot]).length).toBe(standing(everything).length)
        }
      }),
      200,
    )
  })

  test('[R6] other fields and levels stay unchanged', () => {
    const [phone] = devices([1], ['aaaaaaaa']) as [Device]
    set(phone, 'name', 'Ada', 0)
    set(phone, 'name', 'Ada Lovelace', 2)
    set(phone, 'name/first', 'Ada', 2)
    set(phone, 'name', undefined, 2)
    expect(profileFields(phone.maps)).toEqual(
      new Map([
        [0, { name: 'Ada' }],
        [2, { 'name/first': 'Ada' }],
      ]),
    )
  })
})

describe('[R3] a value that is already set is not written again', () => {
  test.each<[FieldValue]>([
    ['Ada'],
    [''],
    [0],
    [-0],
    [Number.NaN],
    [true],
    [false],
    [Uint8Array.of()],
    [Uint8Array.of(1, 2)],
  ])('[R3] %o set twice makes one update, also by another device', value => {
    const [phone, tablet] = devices([1, 2], ['aaaaaaaa', 'bbbbbbbb']) as [Device, Device]
    const same = (): FieldValue => (value instanceof Uint8Array ? new Uint8Array(value) : value)
    set(phone, 'field', same())
    set(phone, 'field', same())
    meet(phone, tablet)
    set(tablet, 'field', same())
    set(tablet, 'other', undefined)
    expect([phone.updates.length, tablet.updates.length]).toEqual([1, 0])
    expect(profileFields(tablet.maps).get(0)?.['field']).toStrictEqual(value)
  })

  test('0 and -0, and a text and its bytes, are not the same', () => {
    expect(sameValue(0, -0)).toBe(false)
    expect(sameValue(Number.NaN, Number.NaN)).toBe(true)
    expect(sameValue('1', 1)).toBe(false)
    expect(sameValue('', undefined)).toBe(false)
    expect(sameValue('a', Uint8Array.of(97))).toBe(false)
    expect(sameValue(Uint8Array.of(1), Uint8Array.of(1, 2))).toBe(false)
    expect(sameValue(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false)
    expect(sameValue(Uint8Array.of(1, 2), Uint8Array.of(0, 1, 2, 3).subarray(1, 3))).toBe(true)
  })
})

describe('[R1] the other devices get exactly what one device stores', () => {
  test('[R1] bytes are copied in and out, so later changes of the array change no document', () => {
    const [phone, tablet] = devices([1, 2], ['aaaaaaaa', 'bbbbbbbb']) as [Device, Device]
    const given = Uint8Array.of(1, 2, 3)
    set(phone, 'avatar', given)
    given.fill(9)
    const shown = value(phone, 'avatar') as Uint8Array
    expect([...shown]).toEqual([1, 2, 3])
    shown.fill(8)
    meet(phone, tablet)
    expect(value(tablet, 'avatar')).toEqual(Uint8Array.of(1, 2, 3))
    expect(value(phone, 'avatar')).toEqual(Uint8Array.of(1, 2, 3))
  })

  test('[R1] bytes of a subclass, as Buffer of Node is, are bytes', () => {
    const [phone, tablet] = devices([1, 2], ['aaaaaaaa', 'bbbbbbbb']) as [Device, Device]
    set(phone, 'avatar', Buffer.from([1, 2, 3]))
    meet(phone, tablet)
    expect(value(tablet, 'avatar')).toStrictEqual(Uint8Array.of(1, 2, 3))
  })

  test('[R1] half a surrogate pair, which UTF-8 cannot carry, is a TypeError and leaves the document as it was', () => {
    const [phone] = devices([1], ['aaaaaaaa']) as [Device]
    expect(() => set(phone, 'name', 'Ada \ud83d')).toThrow(TypeError)
    expect(() => set(phone, '\ude00', 'Ada')).toThrow(TypeError)
    expect(() =>
      phone.edit([
        { root: profileRoot, key: profileKey(0, phone.writer, 'good'), value: 'first' },
        { root: profileRoot, key: profileKey(0, phone.writer, 'bad'), value: '\ud83d' },
      ]),
    ).toThrow(TypeError)
    expect(contentOf(phone, [profileRoot])).toEqual([])
    set(phone, '😀', '😀')
    expect(value(phone, '😀')).toBe('😀')
  })
})

describe('names and keys', () => {
  test('a field may have the name of any JavaScript property', () => {
    const [phone, tablet] = devices([1, 2], ['__proto__', 'constructor']) as [Device, Device]
    const names = ['__proto__', 'constructor', 'toString', 'a/b', '0/aaaaaaaa/x', '\n', '7']
    for (const name of names) set(phone, name, `value of ${name}`, 3)
    set(tablet, '__proto__', 'concurrent', 3)
    meet(phone, tablet)
    const fields = profileFields(tablet.maps).get(3) ?? {}
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype)
    expect(Object.keys(fields).sort()).toEqual([...names].sort())
    expect(Object.getOwnPropertyDescriptor(fields, '__proto__')?.value).toBe('concurrent')
    const merged = mergeLevels(new Map([[3, fields]]))
    expect(Object.getOwnPropertyDescriptor(merged, '__proto__')?.value).toBe('concurrent')
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype)
  })

  test('keys are level, writer and a name that is not empty', () => {
    expect(parseProfileKey('255/aaaa-_09/a/b\n')).toEqual({ level: 255, writer: 'aaaa-_09', name: 'a/b\n' })
    for (const key of [
      '',
      '0/aaaaaaaa',
      '0/aaaaaaaa/',
      '0/aaaaaaa/x',
      '0/aaaaaaaaaaaaaaaaa/x',
      '00/aaaaaaaa/x',
      '01/aaaaaaaa/x',
      '256/aaaaaaaa/x',
      '-1/aaaaaaaa/x',
      '/aaaaaaaa/x',
      '1e1/aaaaaaaa/x',
      '0/aaaa aaaa/x',
    ]) {
      expect(parseProfileKey(key), key).toBeUndefined()
    }
  })

  test('keys of any other form are not fields', () => {
    const doc = new Y.Doc()
    doc.getMap(profileRoot).set('name', 'Ada')
    doc.getMap(profileRoot).set('256/aaaaaaaa/name', 'Ada')
    expect(profileFields(flatMapsOf(doc))).toEqual(new Map())
    expect(profileBytes(flatMapsOf(doc))).toEqual(new Map())
  })
})

describe('levels and sizes', () => {
  test('levels are ascending, fields sorted by name, and levels without fields absent', () => {
    const [phone] = devices([1], ['aaaaaaaa']) as [Device]
    for (const level of [10, 9, 255, 0]) for (const name of ['b', 'a']) set(phone, name, level, level)
    for (const name of ['a', 'b']) set(phone, name, undefined, 9)
    expect([...profileFields(phone.maps).keys()]).toEqual([0, 10, 255])
    expect(Object.keys(profileFields(phone.maps).get(10) ?? {})).toEqual(['a', 'b'])
  })

  test('if one field stands at several levels, the highest level is shown', () => {
    const levels = new Map([
      [10, { name: 'ten' }],
      [2, { name: 'two', phone: '+44' }],
      [9, { name: 'nine', mail: false }],
    ])
    expect(mergeLevels(levels)).toEqual({ name: 'ten', phone: '+44', mail: false })
    expect(mergeLevels(new Map())).toEqual({})
  })

  test('[S3] a profile counts the UTF-8 bytes of names and values and 32 bytes a field at each level, also of concurrent sets', () => {
    const [phone, tablet] = devices([1, 2], ['aaaaaaaa', 'bbbbbbbb']) as [Device, Device]
    set(phone, 'näme', '€😀') // 5 + 7
    set(phone, 'n', 1.5) // 1 + 8
    set(phone, 't', true, 4) // 1 + 1
    set(phone, 'b', new Uint8Array(100), 4) // 1 + 100
    set(tablet, 'n', 2) // 1 + 8
    meet(phone, tablet)
    for (const each of [phone, tablet])
      expect(profileBytes(each.maps)).toEqual(
        new Map([
          [0, 30 + 3 * 32],
          [4, 103 + 2 * 32],
        ]),
      )
  })

  test('one device that sets one field 10,000 times leaves a document of one field', () => {
    const [phone] = devices([2 ** 32 - 1], ['aaaaaaaa']) as [Device]
    for (let turn = 0; turn < 10_000; turn++) set(phone, 'status', `status ${turn}`)
    expect(Y.encodeStateAsUpdate(phone.doc).length).toBeLessThan(200)
    expect(Y.encodeStateAsUpdateV2(phone.doc).length).toBeLessThan(200)
  })

  test('two devices that set one field in turn, 1,000 times each, leave a document of one field', () => {
    const [phone, tablet] = devices([1, 2 ** 31], ['aaaaaaaa', 'bbbbbbbb']) as [Device, Device]
    for (let turn = 0; turn < 1_000; turn++) {
      set(phone, 'status', `phone ${turn}`)
      meet(phone, tablet)
      set(tablet, 'status', `tablet ${turn}`)
      meet(phone, tablet)
    }
    expect(Y.encodeStateAsUpdate(phone.doc).length).toBeLessThan(400)
  })
})

function devices(ids: readonly number[], names: readonly string[]): Device[] {
  return ids.map((id, index) => ({ ...replica(id), writer: names[index] as string }))
}

function writers(count: number): fc.Arbitrary<string[]> {
  const writer = fc.stringMatching(/^[A-Za-z0-9_-]{8,16}$/)
  return fc.uniqueArray(writer, { minLength: count, maxLength: count })
}

function set(device: Device, name: string, value: FieldValue | undefined, level = 0): void {
  device.edit(planField(device.maps, device.writer, level, name, value))
}

function value(device: Device, name: string, level = 0): FieldValue | undefined {
  return profileFields(device.maps).get(level)?.[name]
}
