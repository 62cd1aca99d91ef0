import { expect, test } from 'vitest'
import {
  countsBeside,
  cutIntoSlices,
  decodeMarker,
  encodeMarker,
  type Operation,
  Overlay,
  Slice,
} from '../support/server-internals.ts'

const many = 1_000_000

function put(key: string, bytes = 1): Operation {
  return { type: 'put', key, value: new Uint8Array(bytes).fill(key.length) }
}

async function slicesOf(operations: readonly Operation[], most = many): Promise<string[][]> {
  const { slices } = await cutIntoSlices(operations, most)
  return slices.map(({ bytes }) => [...Slice.operationsOf(bytes)].map(({ key }) => key))
}

test('a change is cut into slices of so many operations, in the order of their keys', async () => {
  const operations = ['d', 'b', 'e', 'a', 'c'].map(key => put(key))
  expect(await slicesOf(operations, 2)).toEqual([['a', 'b'], ['c', 'd'], ['e']])
  expect(await slicesOf(operations.slice(0, 4), 2)).toEqual([
    ['a', 'b'],
    ['d', 'e'],
  ])
  expect(await slicesOf([], 2)).toEqual([])
})

test('keys beyond ASCII are in the order of their bytes, as the database has them', async () => {
  const keys = ['\u{1f600}', '\uffee', 'é', 'z']
  expect(await slicesOf(keys.map(key => put(key)))).toEqual([['z', 'é', '\uffee', '\u{1f600}']])
})

test('of two operations on one key the last counts', async () => {
  const operations: Operation[] = [
    put('a', 1),
    { type: 'del', key: 'b' },
    put('a', 3),
    put('b'),
    { type: 'del', key: 'a' },
  ]
  const { slices } = await cutIntoSlices(operations, many)
  expect(slices.map(({ bytes }) => [...Slice.operationsOf(bytes)])).toEqual([[{ type: 'del', key: 'a' }, put('b')]])
})

test('[S3] a slice ends with the record that fills 128 KiB', async () => {
  const half = 64 * 1024 - 1
  expect(await slicesOf([put('a', half), put('b', half), put('c')])).toEqual([['a', 'b'], ['c']])
  expect(await slicesOf([put('a', half), put('b', half - 1), put('c'), put('d')])).toEqual([['a', 'b', 'c'], ['d']])
})

test('[S3] a record of more than 256 KiB is in no slice, and does not end one', async () => {
  const most = 256 * 1024 - 1
  const cut = await cutIntoSlices([put('a'), put('b', most + 1), put('c'), put('d', most), put('e')], many)
  expect(cut.large.map(({ key }) => key)).toEqual(['b'])
  expect(cut.slices.map(({ first, last }) => [first, last])).toEqual([
    ['a', 'd'],
    ['e', 'e'],
  ])
})

/** Two slices. The second one also removes. */
const overlay = new Overlay([
  Slice.of([put('b', 2), put('d', 4)]),
  Slice.of([put('f', 6), { type: 'del', key: 'h' }, put('é', 8)]),
])

test.each(['a', 'c', 'e', 'g', 'i', 'ê', ''])('what is not staged is not found: %j', key => {
  expect(overlay.find(key)).toBeUndefined()
})

test('what is staged is found where it is, with its record, or none where it is removed', () => {
  const found = ['b', 'd', 'f', 'h', 'é'].map(key => overlay.find(key))
  expect(found.map(one => [one?.slice, one?.place])).toEqual([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
    [1, 2],
  ])
  expect(found.map(one => one && overlay.valueOf(one)?.length)).toEqual([2, 4, 6, undefined, 8])
})

test.each<[gt: string, lt: string, keys: string[]]>([
  ['a', 'z', ['b', 'd', 'f', 'h']],
  ['b', 'h', ['d', 'f']],
  ['a', 'b', []],
  ['a', 'c', ['b']],
  ['d', 'f', []],
  ['d', 'g', ['f']],
  ['c', 'f', ['d']],
  ['h', '\uffff', ['é']],
  ['é', '\uffff', []],
  ['', 'b', []],
])('what is staged within a range is without its ends: %j to %j', (gt, lt, keys) => {
  expect([...overlay.within({ gt, lt })].map(({ key }) => key)).toEqual(keys)
  expect(overlay.hasAnyIn({ gt, lt })).toBe(keys.length > 0)
})

test('an overlay of nothing has nothing', () => {
  const empty = new Overlay([])
  expect([empty.find('a'), empty.hasAnyIn({ gt: '', lt: '\uffff' })]).toEqual([undefined, false])
})

test('a marker on the disk says what it said', () => {
  for (const marker of [
    { slices: 0, applied: new Set<number>(), skipped: new Set<string>() },
    { slices: 300, applied: new Set([0, 299]), skipped: new Set(['a', 'é', '']) },
  ]) {
    expect(decodeMarker(encodeMarker(marker))).toEqual(marker)
  }
})

test('[V4] staged records count while their marker is there, but for slices that are applied and keys that are newer', () => {
  const staged = ['b', 'd', 'f', 'h'].map(key => overlay.find(key) as NonNullable<ReturnType<typeof overlay.find>>)
  expect(staged.map(countsBeside(undefined))).toEqual([false, false, false, false])
  const marker = encodeMarker({ slices: 2, applied: new Set([0]), skipped: new Set(['h']) })
  expect(staged.map(countsBeside(marker))).toEqual([false, false, true, false])
})

test('an operation of a slice is written without the keys that are newer, removals too', () => {
  const slice = Slice.of([put('a'), { type: 'del', key: 'b' }, put('c'), { type: 'del', key: 'd' }])
  expect([...slice.operationsWithout(new Set(['a', 'd', 'x']))]).toEqual([{ type: 'del', key: 'b' }, put('c')])
})
