import { TestClock } from '@kith/server/testing'
import { expect, test } from 'vitest'
import { Applied, NodeLease } from '../support/server-internals.ts'
import { isOver, settled, TestTable } from '../support/test-table.ts'

/** A lease in a table, of a node that has reported up to `position`. */
function newLease() {
  const clock = new TestClock()
  const table = new TestTable()
  const node = { position: 7 }
  const awaited: number[] = []
  let catchUp = (): void => undefined
  let isBehind = false
  const lease = new NodeLease({
    ...{ table, clock, applied: () => node.position },
    reached: async to => {
      awaited.push(to)
      if (isBehind) await new Promise<void>(resolve => (catchUp = resolve))
    },
  })
  const move = async (ms: number): Promise<void> => {
    clock.move(ms)
    await settled()
  }
  /** Returns the queries since the last call. */
  const asked = (): string[] => table.asked.splice(0)
  return {
    ...{ clock, table, node, awaited, lease, move, asked },
    fallBehind: () => {
      isBehind = true
    },
    catchUp: async () => {
      isBehind = false
      catchUp()
      await settled()
    },
  }
}

async function joined() {
  const node = newLease()
  await node.lease.join()
  node.asked()
  return node
}

test('[V4] a node that joins has its lease when it has reported what was on the head then', async () => {
  const { lease, table, asked, awaited, fallBehind, catchUp } = newLease()
  table.headNow = 12
  fallBehind()
  const join = lease.join()
  expect([await isOver(join), lease.isCurrent(), awaited, asked()]).toEqual([
    false,
    false,
    [12],
    ['join anew at 7', 'head'],
  ])
  await catchUp()
  expect([await isOver(join), lease.isCurrent(), lease.name.id]).toEqual([true, true, 1])
})

test('[V4] a lease is renewed every 500 ms, with what the node has applied by then', async () => {
  const { move, asked, node } = await joined()
  await move(499)
  expect(asked()).toEqual([])
  node.position = 9
  await move(1)
  expect(asked()).toEqual(['renew 1 at 9'])
  await move(499)
  expect(asked()).toEqual([])
  await move(1)
  expect(asked()).toEqual(['renew 1 at 9'])
})

test('[V4] a lease lasts 2 s from when its last renewal began, not from when that was answered', async () => {
  const { lease, table, move } = await joined()
  table.hold()
  await move(1_900)
  await table.release()
  table.hold()
  // The renewal began after 500 ms.
  await move(599)
  expect(lease.isCurrent()).toBe(true)
  await move(1)
  expect(lease.isCurrent()).toBe(false)
})

test('[V4] a renewal that was answered late is followed by the next at once', async () => {
  const { table, move, asked } = await joined()
  table.hold()
  await move(1_300)
  expect(asked()).toEqual(['renew 1 at 7'])
  await table.release()
  await move(0)
  expect(asked()).toEqual(['renew 1 at 7'])
  await move(499)
  expect(asked()).toEqual([])
})

test('[V4] a renewal that was answered after 300 ms is followed by the next 500 ms after it began', async () => {
  const { table, move, asked } = await joined()
  table.hold()
  await move(800)
  await table.release()
  asked()
  await move(199)
  expect(asked()).toEqual([])
  await move(1)
  expect(asked()).toEqual(['renew 1 at 7'])
})

test('[V4] a renewal that failed is tried again after 200 ms', async () => {
  const { table, move, asked, lease } = await joined()
  table.failure = new Error('the database is away')
  await move(500)
  asked()
  await move(199)
  expect(asked()).toEqual([])
  await move(1)
  expect(asked()).toEqual(['renew 1 at 7'])
  table.failure = undefined
  await move(200)
  expect([asked(), lease.isCurrent()]).toEqual([['renew 1 at 7'], true])
})

test('[V4] a renewal that is not answered within 10 s is given up, and tried again after 200 ms', async () => {
  const { table, move, asked, lease } = await joined()
  table.hold()
  await move(500)
  asked()
  await move(9_999)
  await move(1)
  expect(asked()).toEqual([])
  await move(199)
  expect(asked()).toEqual([])
  await move(1)
  expect([asked(), lease.isCurrent()]).toEqual([['renew 1 at 7'], false])
})

test('[V4] a renewal whose wait for the head is not answered within 10 s is given up too', async () => {
  const { lease, table, clock } = newLease()
  const join = lease.join()
  const head = table.head
  table.head = () => {
    table.hold()
    return head()
  }
  expect(await isOver(join)).toBe(false)
  clock.move(10_000)
  await expect(join).rejects.toThrow('the database does not answer')
})

test('[V4] a renewal that is confirmed after the lease was over counts when the node has reported what was on the head after it', async () => {
  const { lease, table, move, asked, awaited, fallBehind, catchUp } = await joined()
  awaited.length = 0
  table.hold()
  await move(2_000)
  expect(lease.isCurrent()).toBe(false)
  table.headNow = 30
  fallBehind()
  await table.release()
  expect([asked(), awaited, lease.isCurrent()]).toEqual([['renew 1 at 7', 'head'], [30], false])
  await catchUp()
  expect(lease.isCurrent()).toBe(true)
})

test('[V4] a node whose lease the table has ended joins again under its id, with another key', async () => {
  const { lease, table, move, asked } = await joined()
  const { key } = lease.name
  table.isIn = false
  await move(500)
  expect(asked()).toEqual(['renew 1 at 7', 'join 1 at 7', 'head'])
  expect([lease.name.id, lease.name.key === key, lease.isCurrent()]).toEqual([1, false, true])
})

test('[V4] a lease that is dropped is over at once, and is renewed at once', async () => {
  const { lease, asked, move } = await joined()
  await move(100)
  lease.drop()
  expect(lease.isCurrent()).toBe(false)
  const held = lease.held()
  expect(await isOver(held)).toBe(false)
  await move(0)
  expect([asked(), lease.isCurrent(), await isOver(held)]).toEqual([['renew 1 at 7', 'head'], true, true])
})

test('[V4] a renewal that was under way when the lease was dropped does not count, and the next begins when it is over', async () => {
  const { lease, table, asked, move } = await joined()
  table.hold()
  await move(500)
  lease.drop()
  asked()
  await table.release()
  expect([asked(), lease.isCurrent()]).toEqual([['head'], false])
  await move(0)
  expect([asked(), lease.isCurrent()]).toEqual([['renew 1 at 7', 'head'], true])
})

test('[V4] a node that leaves joins again, once, with what it has applied then', async () => {
  const { lease, node, asked, move } = await joined()
  node.position = 3
  lease.leave()
  await move(0)
  expect([asked(), lease.isCurrent()]).toEqual([['join 1 at 3', 'head'], true])
  await move(500)
  expect(asked()).toEqual(['renew 1 at 3'])
})

test('[V4] a clock that is set forwards ends a lease, and one that is set back does not lengthen it', async () => {
  const { lease, table, clock, move } = await joined()
  table.hold()
  clock.set(1_999)
  expect(lease.isCurrent()).toBe(true)
  clock.set(1)
  expect(lease.isCurrent()).toBe(false)
  clock.set(-60_000)
  expect(lease.isCurrent()).toBe(true)
  await move(1_999)
  expect(lease.isCurrent()).toBe(true)
  await move(1)
  expect(lease.isCurrent()).toBe(false)
})

test('[V4] a node that closes hands nothing over any more, and gives its lease back once a renewal that is under way is over', async () => {
  const { lease, table, clock, asked, move } = await joined()
  table.hold()
  await move(500)
  const closed = lease.close()
  const held = lease.held().catch((error: Error) => error.message)
  expect([lease.isCurrent(), await isOver(closed), asked()]).toEqual([false, false, ['renew 1 at 7']])
  await table.release()
  expect([await isOver(closed), lease.isCurrent(), await held]).toEqual([true, false, 'the store is closing'])
  await move(10_000)
  expect([asked(), clock.timerCount]).toEqual([['head', 'leave 1'], 0])
})

test('[V4] those who wait for the lease of a node that closes are told so', async () => {
  const { lease, move } = await joined()
  await move(100)
  lease.drop()
  const waiting = [lease.held(), lease.held()].map(held => held.catch((error: Error) => error.message))
  await lease.close()
  expect(await Promise.all(waiting)).toEqual(['the store is closing', 'the store is closing'])
  await expect(lease.held()).rejects.toThrow('the store is closing')
})

test('a node that closes waits 1 s for a database that does not answer', async () => {
  const { lease, table, move, clock } = await joined()
  table.hold()
  const closed = lease.close()
  await settled()
  await move(999)
  expect(await isOver(closed)).toBe(false)
  await move(1)
  expect([await isOver(closed), clock.timerCount]).toEqual([true, 0])
})

test('[V4] what a node has applied is said at once; several positions while one is said are one', async () => {
  const { lease, table, node, asked } = await joined()
  const applied = new Applied(table, lease, () => node.position)
  table.hold()
  applied.say()
  expect(asked()).toEqual(['1 has applied 7'])
  for (node.position = 8; node.position < 11; node.position++) applied.say()
  await settled()
  expect(asked()).toEqual([])
  await table.release()
  expect(asked()).toEqual(['1 has applied 11'])
  table.failure = new Error('the database is away')
  applied.say()
  await settled()
  applied.say()
  expect(asked()).toEqual(['1 has applied 11', '1 has applied 11'])
})
