import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { CurrentReads } from '../support/server-internals.ts'

/** A read whose results a test gives, one after the other. */
function heldRead(reads: CurrentReads) {
  const begun: ((value: string) => void)[] = []
  const handedOver: string[] = []
  const done = reads.read(
    () => new Promise<string>(resolve => begun.push(resolve)),
    value => void handedOver.push(value),
  )
  return {
    done,
    handedOver,
    get times() {
      return begun.length
    },
    async answer(value: string) {
      begun.at(-1)?.(value)
      await setImmediate()
    },
  }
}

/** Whether a promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending')
  return (await Promise.race([promise, setImmediate(pending)])) !== pending
}

test('[V4] a read begins when no batch is being written', async () => {
  const reads = new CurrentReads()
  await reads.begin()
  const read = heldRead(reads)
  await setImmediate()
  expect(read.times).toBe(0)
  reads.end()
  await setImmediate()
  expect(read.times).toBe(1)
  await read.answer('after the batch')
  expect(read.handedOver).toEqual(['after the batch'])
})

test('[V4] records read before a batch began are not used, and are read again after the batch', async () => {
  const reads = new CurrentReads()
  const read = heldRead(reads)
  await setImmediate()
  await reads.begin()
  await read.answer('before the batch')
  expect([read.times, read.handedOver]).toEqual([1, []])
  reads.end()
  await setImmediate()
  await read.answer('after the batch')
  expect([read.times, read.handedOver]).toEqual([2, ['after the batch']])
})

test('[V4] records read before a batch are not used even if the batch has ended meanwhile', async () => {
  const reads = new CurrentReads()
  const read = heldRead(reads)
  await setImmediate()
  await reads.begin()
  reads.end()
  await read.answer('before the batch')
  expect(read.handedOver).toEqual([])
  await read.answer('after the batch')
  expect(read.handedOver).toEqual(['after the batch'])
})

test('[V4][V10] a batch waits for second reads, so no read is made more than twice however many batches are written', async () => {
  const reads = new CurrentReads()
  const read = heldRead(reads)
  await setImmediate()
  await reads.begin()
  reads.end()
  await read.answer('first')
  const next = reads.begin()
  expect(await isSettled(next)).toBe(false)
  await read.answer('second')
  expect(await isSettled(next)).toBe(true)
  expect([read.times, read.handedOver]).toEqual([2, ['second']])
  reads.end()
})

test('a read that begins while a batch waits does not delay that batch', async () => {
  const reads = new CurrentReads()
  const early = heldRead(reads)
  await setImmediate()
  await reads.begin()
  reads.end()
  await early.answer('first')
  const batch = reads.begin()
  const late = heldRead(reads)
  await setImmediate()
  expect(late.times).toBe(0)
  await early.answer('second')
  expect(await isSettled(batch)).toBe(true)
  reads.end()
  await setImmediate()
  expect(late.times).toBe(1)
})

test('[S1] a batch waits for at most 64 reads; those beyond have their turn after it', async () => {
  const reads = new CurrentReads()
  const all = Array.from({ length: 70 }, () => heldRead(reads))
  await setImmediate()
  await reads.begin()
  reads.end()
  for (const read of all) await read.answer('first')
  expect(all.filter(({ times }) => times === 2)).toHaveLength(64)
  const batch = reads.begin()
  for (const read of all.slice(0, 64)) await read.answer('second')
  expect(await isSettled(batch)).toBe(true)
  expect(all.filter(({ times }) => times === 2)).toHaveLength(64)
  reads.end()
  await setImmediate()
  expect(all.filter(({ times }) => times === 2)).toHaveLength(70)
})

test('[S1] a second read that fails, or whose hand-over fails, delays no batch', async () => {
  const reads = new CurrentReads()
  let count = 0
  const failing = reads.read(
    async () => {
      count++
      if (count === 2) throw new Error('the disk cannot be read')
      await reads.begin()
      reads.end()
    },
    () => undefined,
  )
  await expect(failing).rejects.toThrow('the disk cannot be read')
  const refused = reads.read(
    async () => {
      count++
      if (count > 3) return
      await reads.begin()
      reads.end()
    },
    () => {
      throw new Error('nothing takes it')
    },
  )
  await expect(refused).rejects.toThrow('nothing takes it')
  expect(await isSettled(reads.begin())).toBe(true)
})
