import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { type HeapSize, IdleHeap } from '../support/server-internals.ts'

const MB = 1024 * 1024

/** The size of a heap. By default, the heap takes no more memory than its content. */
function ofMegabytes(used: number, taken = used): HeapSize {
  return { used: used * MB, external: 0, taken: taken * MB }
}

test('[S3] a heap is collected when it is quiet and has much more than was left the last time', () => {
  const heap = new IdleHeap(ofMegabytes(50))
  expect([60, 80, 85].map(megabytes => heap.isDue(ofMegabytes(megabytes)))).toEqual([false, false, false])
  expect(heap.isDue(ofMegabytes(400)), 'a heap that grows is in use').toBe(false)
  expect(heap.isDue(ofMegabytes(410))).toBe(true)
})

test('[S3] what a collection has left is the measure of the next one', () => {
  const heap = new IdleHeap(ofMegabytes(50))
  expect(heap.isDue(ofMegabytes(400))).toBe(false)
  expect(heap.isDue(ofMegabytes(400))).toBe(true)
  expect([390, 390, 395, 400].map(megabytes => heap.isDue(ofMegabytes(megabytes)))).toEqual([
    false,
    false,
    false,
    false,
  ])
  expect([200, 205, 250].map(megabytes => heap.isDue(ofMegabytes(megabytes)))).toEqual([false, false, false])
  expect(heap.isDue(ofMegabytes(290))).toBe(false)
  expect(heap.isDue(ofMegabytes(290))).toBe(true)
})

test('[S3] a quiet heap is collected once more after a while, when the server has dropped what it kept', () => {
  const heap = new IdleHeap(ofMegabytes(50))
  heap.isDue(ofMegabytes(400))
  expect(heap.isDue(ofMegabytes(400))).toBe(true)
  expect(looksDue(heap, Array(40).fill(300))).toEqual([9])
})

test('[S3] a heap that has grown since its first collection is collected when it has been quiet for a while', () => {
  const heap = new IdleHeap(ofMegabytes(50))
  heap.isDue(ofMegabytes(200))
  expect(heap.isDue(ofMegabytes(200))).toBe(true)
  const growing = [110, 130, 150, 165]
  expect(looksDue(heap, [...growing, ...Array(40).fill(165)])).toEqual([growing.length + 8])
})

test('[S3] a quiet heap is collected until a collection frees little', () => {
  const heap = new IdleHeap(ofMegabytes(50))
  heap.isDue(ofMegabytes(500))
  expect(heap.isDue(ofMegabytes(500))).toBe(true)
  const sizes = [...Array(10).fill(450), ...Array(10).fill(400), ...Array(40).fill(390)]
  expect(looksDue(heap, sizes)).toEqual([9, 19])
})

test('[S3] a heap that a collection leaves sparse is collected again as long as it shrinks', () => {
  const heap = new IdleHeap(ofMegabytes(20))
  heap.isDue(ofMegabytes(300))
  expect(heap.isDue(ofMegabytes(300))).toBe(true)
  expect([290, 160, 120, 118, 118].map(taken => heap.isDue(ofMegabytes(25, taken)))).toEqual([
    false,
    false,
    false,
    false,
    false,
  ])
  const shrinking = new IdleHeap(ofMegabytes(20))
  shrinking.isDue(ofMegabytes(300))
  expect(shrinking.isDue(ofMegabytes(300))).toBe(true)
  expect([160, 120, 118, 60].map(taken => shrinking.isDue(ofMegabytes(25, taken)))).toEqual([true, true, false, false])
  const dense = new IdleHeap(ofMegabytes(20))
  dense.isDue(ofMegabytes(300))
  expect(dense.isDue(ofMegabytes(300))).toBe(true)
  expect(dense.isDue(ofMegabytes(25, 80))).toBe(false)
})

/** Returns the checks at which a heap of these sizes in megabytes is due for collection. */
function looksDue(heap: IdleHeap, sizes: readonly number[]): number[] {
  return sizes.flatMap((megabytes, look) => (heap.isDue(ofMegabytes(megabytes)) ? [look] : []))
}

/** Creates 200 MB of garbage, and then idles. Prints the size of its heap in megabytes, with or without a collection. */
const program = (collects: boolean): string => `
  const { beginCollection } = await import(${JSON.stringify(new URL('../../packages/server/dist/idle-collection.js', import.meta.url).href)})
  const { setTimeout: pause } = await import('node:timers/promises')
  const heap = () => process.memoryUsage().heapUsed / 1e6
  let garbage = Array.from({ length: 40 }, () => Array.from({ length: 50_000 }, (_, index) => ({ index, text: 'x' + index })))
  const full = heap()
  garbage = undefined
  await pause(500)
  if (${collects}) beginCollection()
  for (let left = 300; left > 0 && heap() > full / 2 && ${collects}; left--) await pause(100)
  console.log(JSON.stringify([full, heap()]))
`

test.each([true, false])(
  '[S3] V8 collects a quiet heap if it is asked to, and not otherwise (asked: %s)',
  async isAsked => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--max-semi-space-size=8', '--input-type=module', '--eval', program(isAsked)],
      { cwd: fileURLToPath(new URL('.', import.meta.url)) },
    )
    const [full = 0, left = 0] = JSON.parse(stdout) as number[]
    expect(full).toBeGreaterThan(100)
    if (isAsked) expect(left).toBeLessThan(full / 2)
    else expect(left).toBeGreaterThan(full / 2)
  },
)
