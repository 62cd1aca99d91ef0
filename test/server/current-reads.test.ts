import { setImmediate } from 'node:timers/promises'
import { TestClock } from '@kith/server/testing'
import { describe, expect, test } from 'vitest'
import { CurrentReads, type Lease, Relay } from '../support/server-internals.ts'
import { newDatabase, storeOver } from '../support/stores.ts'

/** Reads of a store that reports positions when a test says so. */
class ReportedReads extends CurrentReads {
  readonly #store: { position: number }

  constructor(position = 0, lease?: Lease) {
    const store = { position }
    super(() => store.position, lease)
    this.#store = store
  }

  /** Reports the batch that was announced. */
  report(): void {
    this.#store.position++
    this.end()
  }

  /** The store continues from an earlier position, in another history. */
  lose(position: number): void {
    this.#store.position = position
    this.lost()
  }

  /** A whole batch that no read holds back. */
  async batch(): Promise<void> {
    await this.begin()
    this.report()
  }
}

/**
 * A read whose results a test supplies one after the other, each with the position that the store had reported at that time.
 */
function heldRead(reads: CurrentReads) {
  const begun: ((found: { at: number; value: string }) => void)[] = []
  const handedOver: string[] = []
  const done = reads.read(
    () => new Promise<{ at: number; value: string }>(resolve => begun.push(resolve)),
    ({ value }) => void handedOver.push(value),
  )
  return {
    done,
    handedOver,
    get times() {
      return begun.length
    },
    async answer(value: string, at: number) {
      begun.at(-1)?.({ at, value })
      await setImmediate()
    },
  }
}

/** Returns whether a promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending')
  return (await Promise.race([promise, setImmediate(pending)])) !== pending
}

test('[V4] a read begins when no batch is being written', async () => {
  const reads = new ReportedReads()
  await reads.begin()
  const read = heldRead(reads)
  await setImmediate()
  expect(read.times).toBe(0)
  reads.report()
  await setImmediate()
  expect(read.times).toBe(1)
  await read.answer('after the batch', 1)
  expect(read.handedOver).toEqual(['after the batch'])
})

test('[V4] records read before a batch began are not used, and are read again after the batch', async () => {
  const reads = new ReportedReads()
  const read = heldRead(reads)
  await setImmediate()
  await reads.begin()
  await read.answer('before the batch', 0)
  expect([read.times, read.handedOver]).toEqual([1, []])
  reads.report()
  await setImmediate()
  await read.answer('after the batch', 1)
  expect([read.times, read.handedOver]).toEqual([2, ['after the batch']])
})

test('[V4] records read before a batch are not used even if the batch has ended meanwhile', async () => {
  const reads = new ReportedReads()
  const read = heldRead(reads)
  await setImmediate()
  await reads.batch()
  await read.answer('before the batch', 0)
  expect(read.handedOver).toEqual([])
  await read.answer('after the batch', 1)
  expect(read.handedOver).toEqual(['after the batch'])
})

test('[V4] records read while a batch was written that failed are used once it has failed', async () => {
  const reads = new ReportedReads()
  const read = heldRead(reads)
  await setImmediate()
  await reads.begin()
  await read.answer('before the batch', 0)
  expect(read.handedOver).toEqual([])
  reads.end()
  await setImmediate()
  expect([read.times, read.handedOver]).toEqual([1, ['before the batch']])
})

test('[V4] records read ahead of what was reported are handed over when their position is reported, before the next batch', async () => {
  const reads = new ReportedReads()
  const read = heldRead(reads)
  await setImmediate()
  await read.answer('of the second batch', 2)
  await reads.batch()
  await setImmediate()
  expect([read.handedOver, reads.firstAwaited]).toEqual([[], 2])
  await reads.begin()
  reads.report()
  const next = reads.begin()
  expect(read.handedOver).toEqual([])
  expect(await isSettled(next)).toBe(true)
  expect([read.times, read.handedOver, reads.firstAwaited]).toEqual([1, ['of the second batch'], undefined])
})

test('[V4] records read ahead of what was reported are read again if their position was never the one reported last', async () => {
  const reads = new ReportedReads()
  const read = heldRead(reads)
  await setImmediate()
  await read.answer('between two reports', 0.5)
  await reads.batch()
  await setImmediate()
  expect([read.times, read.handedOver]).toEqual([2, []])
  await read.answer('of the batch', 1)
  expect(read.handedOver).toEqual(['of the batch'])
})

test('[V4][V10] a batch waits for second reads, so no read is made more than twice however many batches are written', async () => {
  const reads = new ReportedReads()
  const read = heldRead(reads)
  await setImmediate()
  await reads.batch()
  await read.answer('first', 0)
  const next = reads.begin()
  expect(await isSettled(next)).toBe(false)
  await read.answer('second', 1)
  expect(await isSettled(next)).toBe(true)
  expect([read.times, read.handedOver]).toEqual([2, ['second']])
  reads.report()
})

test('[V4][V10] a second read that is ahead of what was reported holds a batch until it was made, and is handed over when its position is reported', async () => {
  const reads = new ReportedReads()
  const read = heldRead(reads)
  await setImmediate()
  await reads.batch()
  await read.answer('first', 0)
  const next = reads.begin()
  expect(await isSettled(next)).toBe(false)
  await read.answer('second', 2)
  expect(await isSettled(next)).toBe(true)
  expect([read.handedOver, reads.firstAwaited]).toEqual([[], 2])
  reads.report()
  await setImmediate()
  expect([read.times, read.handedOver]).toEqual([2, ['second']])
  await read.done
})

test('[V4] without its lease a node hands over nothing that was read, and reads again when it has its lease', async () => {
  const lease = { is: true, begin: (): void => undefined, waits: 0 }
  const reads = new ReportedReads(0, {
    isCurrent: () => lease.is,
    held: () => {
      lease.waits++
      return new Promise(resolve => {
        lease.begin = resolve
      })
    },
  })
  const read = heldRead(reads)
  await setImmediate()
  lease.is = false
  await read.answer('without a lease', 0)
  expect([read.times, read.handedOver, lease.waits]).toEqual([1, [], 1])
  lease.begin()
  await setImmediate()
  await read.answer('the lease was lost again', 0)
  expect([read.times, read.handedOver, lease.waits]).toEqual([2, [], 2])
  lease.is = true
  lease.begin()
  await setImmediate()
  await read.answer('with a lease', 0)
  expect([read.times, read.handedOver, lease.waits]).toEqual([3, ['with a lease'], 2])
  await read.done
})

test('[V4] a wait for a position ends when it has been reported', async () => {
  const reads = new ReportedReads()
  await reads.begin()
  const reported = reads.reported(1)
  expect(await isSettled(reads.reported(0))).toBe(true)
  expect(await isSettled(reported)).toBe(false)
  reads.report()
  expect(await isSettled(reported)).toBe(true)
})

test('a read that begins while a batch waits does not delay that batch', async () => {
  const reads = new ReportedReads()
  const early = heldRead(reads)
  await setImmediate()
  await reads.batch()
  await early.answer('first', 0)
  const batch = reads.begin()
  const late = heldRead(reads)
  await setImmediate()
  expect(late.times).toBe(0)
  await early.answer('second', 1)
  expect(await isSettled(batch)).toBe(true)
  reads.report()
  await setImmediate()
  expect(late.times).toBe(1)
})

test('[S1] a batch waits for at most 64 reads; those beyond have their turn after it', async () => {
  const reads = new ReportedReads()
  const all = Array.from({ length: 70 }, () => heldRead(reads))
  await setImmediate()
  await reads.batch()
  for (const read of all) await read.answer('first', 0)
  expect(all.filter(({ times }) => times === 2)).toHaveLength(64)
  const batch = reads.begin()
  for (const read of all.slice(0, 64)) await read.answer('second', 1)
  expect(await isSettled(batch)).toBe(true)
  expect(all.filter(({ times }) => times === 2)).toHaveLength(64)
  reads.report()
  await setImmediate()
  expect(all.filter(({ times }) => times === 2)).toHaveLength(70)
})

test('[S1] a read that fails, or whose hand-over fails, delays no batch', async () => {
  const reads = new ReportedReads()
  let count = 0
  const failing = reads.read(
    async () => {
      count++
      if (count === 2) throw new Error('the disk cannot be read')
      await reads.batch()
      return { at: 0 }
    },
    () => undefined,
  )
  await expect(failing).rejects.toThrow('the disk cannot be read')
  const nothing = (): never => {
    throw new Error('nothing takes it')
  }
  const refused = reads.read(async () => {
    count++
    if (count === 3) await reads.batch()
    return { at: count - 2 }
  }, nothing)
  await expect(refused).rejects.toThrow('nothing takes it')
  const early = reads.read(async () => ({ at: 3 }), nothing)
  await setImmediate()
  await reads.batch()
  await expect(early).rejects.toThrow('nothing takes it')
  expect(await isSettled(reads.begin())).toBe(true)
})

describe('a history that is lost', () => {
  test('[V4] what was read in it, and waits for its position, is not handed over when another history comes to that position', async () => {
    const reads = new ReportedReads(3)
    const read = heldRead(reads)
    await read.answer('of the lost history', 4)
    reads.lose(3)
    await reads.batch()
    await setImmediate()
    expect([read.handedOver, read.times]).toEqual([[], 2])
    await read.answer('of this history', 4)
    expect(read.handedOver).toEqual(['of this history'])
  })

  test('[V4] what is being read in it is not handed over at the same position of another history', async () => {
    const reads = new ReportedReads(3)
    const read = heldRead(reads)
    reads.lose(3)
    await read.answer('of the lost history', 3)
    expect([read.handedOver, read.times]).toEqual([[], 2])
  })

  test('[S1] a second read that finds an earlier position than was reported before it says that the history was lost', async () => {
    const reads = new ReportedReads()
    const read = heldRead(reads)
    await reads.batch()
    await read.answer('first', 0)
    const rejected = expect(read.done).rejects.toThrow('the history of the database')
    await read.answer('second', 0)
    await rejected
  })

  test('[V4] the relay makes its reads again when the store says that the history was lost', async () => {
    const relay = new Relay(storeOver(await newDatabase('memory'), new TestClock()))
    const handedOver: number[] = []
    let count = 0
    const read = async (): Promise<{ at: number; value: number }> => {
      count++
      if (count === 1) relay.listener.lost?.()
      return { at: 0, value: count }
    }
    await relay.reads.read(read, ({ value }) => void handedOver.push(value))
    expect(handedOver).toEqual([2])
  })
})
