import { TestClock } from '@kith/server/testing'
import { expect, test } from 'vitest'
import { Everywhere, NodeLease, type Standing } from '../support/server-internals.ts'
import { isOver, settled, TestTable } from '../support/test-table.ts'

const late: Standing = { isSettled: true, applied: 3, hasGone: false }
const look = 'standing beside 1'

/** One of two nodes. The other node has applied the commits up to 3. */
async function newEverywhere() {
  const clock = new TestClock()
  const table = new TestTable()
  const lease = new NodeLease({ table, clock, applied: () => 0, reached: async () => undefined })
  await lease.join()
  // Queries that renew the lease are not part of these tests.
  await lease.close()
  table.asked.length = 0
  table.others = late
  const reported: number[] = []
  const everywhere = new Everywhere({ table, lease, clock, reached: async to => void reported.push(to) })
  const move = async (ms: number): Promise<void> => {
    clock.move(ms)
    await settled()
  }
  const asked = (): string[] => table.asked.splice(0)
  return { clock, table, everywhere, reported, move, asked }
}

test('[V4] what all other nodes have applied is applied everywhere', async () => {
  const { everywhere, reported, asked } = await newEverywhere()
  expect(await isOver(everywhere.reached(3))).toBe(true)
  expect([reported, asked()]).toEqual([[3], [look]])
})

test('[V4] a node without others waits for itself alone', async () => {
  const { everywhere, table, reported } = await newEverywhere()
  table.others = { isSettled: true, applied: undefined, hasGone: false }
  expect([await isOver(everywhere.reached(8)), reported]).toEqual([true, [8]])
})

test('[V4] what is known to be applied everywhere is not asked for again, and what is later is', async () => {
  const { everywhere, table, asked } = await newEverywhere()
  table.others = { ...late, applied: 20 }
  await everywhere.reached(8)
  asked()
  expect([await isOver(everywhere.reached(8)), asked()]).toEqual([true, []])
  expect([await isOver(everywhere.reached(9)), asked()]).toEqual([true, [look]])
})

test('[V4] after the history was lost, its positions are asked for again', async () => {
  const { everywhere, asked } = await newEverywhere()
  await everywhere.reached(3)
  everywhere.forget()
  asked()
  await everywhere.reached(3)
  expect(asked()).toEqual([look])
})

test('[V4] a node looks again when another says that it has applied something, and every 50 ms', async () => {
  const { everywhere, table, move, asked } = await newEverywhere()
  const reached = everywhere.reached(4)
  expect([await isOver(reached), asked()]).toEqual([false, [look]])
  await move(49)
  expect(asked()).toEqual([])
  await move(1)
  expect(asked()).toEqual([look])
  everywhere.look()
  await settled()
  expect(asked()).toEqual([look])
  // Counted from the last poll.
  await move(49)
  expect(asked()).toEqual([])
  table.others = { ...late, applied: 4 }
  await move(1)
  expect([asked(), await isOver(reached)]).toEqual([[look], true])
})

test('[V4] a look that is asked for during a look follows it, and there is one at a time', async () => {
  const { everywhere, table, asked } = await newEverywhere()
  table.hold()
  const reached = everywhere.reached(4)
  await settled()
  for (let times = 0; times < 3; times++) everywhere.look()
  await settled()
  expect(asked()).toEqual([look])
  table.others = { ...late, applied: 4 }
  await table.release()
  expect([asked(), await isOver(reached)]).toEqual([[look], true])
})

test('[V4] without anybody who waits nothing is looked at, and no timer is left', async () => {
  const { everywhere, clock, asked } = await newEverywhere()
  everywhere.look()
  await everywhere.reached(3)
  asked()
  everywhere.look()
  await settled()
  expect([asked(), clock.timerCount]).toEqual([[], 0])
})

test('[V4] of those who wait each goes on when its own position is applied everywhere', async () => {
  const { everywhere, table, move } = await newEverywhere()
  const [fourth, sixth] = [everywhere.reached(4), everywhere.reached(6)]
  table.others = { ...late, applied: 5 }
  await move(50)
  expect([await isOver(fourth), await isOver(sixth)]).toEqual([true, false])
  table.others = { ...late, applied: 6 }
  await move(50)
  expect(await isOver(sixth)).toBe(true)
})

test('[V4] nodes whose lease is over are removed if they keep a change waiting, and only then', async () => {
  const { everywhere, table, asked } = await newEverywhere()
  table.others = { ...late, hasGone: true }
  await everywhere.reached(3)
  expect(asked()).toEqual([look])
  await everywhere.reached(4)
  expect(asked()).toEqual([look, 'remove gone beside 1', look])
})

test('[V4] soon after a promotion no node is removed, and nothing counts as applied', async () => {
  const { everywhere, table, asked, move } = await newEverywhere()
  table.others = { isSettled: false, applied: 9, hasGone: true }
  const reached = everywhere.reached(4)
  expect([await isOver(reached), asked()]).toEqual([false, [look]])
  table.others = { ...table.others, isSettled: true }
  await move(50)
  expect(await isOver(reached)).toBe(true)
})

test('[V4] a change waits 15 s for other nodes, and is then not answered as applied', async () => {
  const { everywhere, table, move } = await newEverywhere()
  const outcome = everywhere.reached(4).catch((error: Error) => error)
  await settled()
  for (let ms = 50; ms < 15_000; ms += 50) await move(50)
  expect(await isOver(outcome)).toBe(false)
  table.failure = new Error('the database is away')
  const later = everywhere.reached(5)
  await move(50)
  expect(await outcome).toMatchObject({ message: expect.stringMatching('in time'), cause: table.failure })
  expect(await isOver(later)).toBe(false)
  table.failure = undefined
  table.others = { ...late, applied: 5 }
  await move(50)
  expect(await isOver(later)).toBe(true)
})

test('[V4] a wait that ends in vain without a failure of the database names none', async () => {
  const { everywhere, move } = await newEverywhere()
  const outcome = everywhere.reached(4).catch((error: Error) => error)
  await settled()
  for (let ms = 0; ms < 15_000; ms += 50) await move(50)
  expect(Object.hasOwn((await outcome) as Error, 'cause')).toBe(false)
})

test('[V4] those who wait when the node closes are told so, and so are those who come later', async () => {
  const { everywhere, clock, move, asked } = await newEverywhere()
  const waiting = everywhere.reached(4).catch((error: Error) => error.message)
  await settled()
  everywhere.close()
  expect([await waiting, clock.timerCount]).toEqual(['the store is closing', 0])
  await expect(everywhere.reached(4)).rejects.toThrow('the store is closing')
  asked()
  everywhere.look()
  await move(1_000)
  expect(asked()).toEqual([])
})

test('[V4] a node that closes during a look does not look again', async () => {
  const { everywhere, table, clock, asked } = await newEverywhere()
  table.hold()
  const waiting = everywhere.reached(4).catch((error: Error) => error.message)
  await settled()
  everywhere.close()
  await table.release()
  expect([await waiting, asked(), clock.timerCount]).toEqual(['the store is closing', [look], 0])
})
