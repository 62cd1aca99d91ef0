import type { Commit } from '@kith/server'
import { expect, test } from 'vitest'
import {
  CommitListeners,
  encodeCommits,
  type LogRead,
  newNotes,
  Reports,
  type SharedDatabase,
  userChange,
} from '../support/server-internals.ts'
import { isOver, settled } from '../support/test-table.ts'

type Row = LogRead['rows'][number]

/** A batch of another node in the log, with the commits from `first` to `last`. */
function row(first: number, last = first): Row {
  const changes = Array.from({ length: last - first + 1 }, (_, index) => userChange(`user ${first + index}`))
  const notes = changes.map(change => newNotes(0, change))
  return { first, last, batch: `batch ${first}`, commits: encodeCommits(notes, changes) }
}

const firstRun = Uint8Array.of(1)
const secondRun = Uint8Array.of(2)

/** The reports of a node that has reported the commits up to 3. A test writes the log. */
function newReports() {
  const time = { nowMs: 0 }
  const reads: number[] = []
  let isHeld = false
  let held: (() => void)[] = []
  const database = {
    run: firstRun,
    log: { head: 3, rows: [], isCut: false } as LogRead,
    reach: undefined as number | undefined,
    failure: undefined as Error | undefined,
    reachOf: () => database.reach,
    async logAfter(position: number): Promise<LogRead> {
      reads.push(position)
      if (isHeld) await new Promise<void>(resolve => held.push(resolve))
      if (database.failure) throw database.failure
      const { head, rows, isCut } = database.log
      return { head, isCut, rows: rows.filter(({ last }) => last > position) }
    },
  }
  const told: (string | number[])[] = []
  const listeners = new CommitListeners()
  const awaited: { first: number | undefined } = { first: undefined }
  listeners.add({
    writing: async () => void told.push('announced'),
    committed: (commits: readonly Commit[]) => void told.push(commits.map(({ position }) => position)),
    firstAwaited: () => awaited.first,
  })
  const reports = new Reports({
    ...{ database: database as unknown as SharedDatabase, listeners, position: 3, elapsed: () => time.nowMs },
    lost: () => void told.push('lost'),
  })
  return {
    ...{ reports, database, reads, time, awaited },
    told: () => told.splice(0),
    hold: () => {
      isHeld = true
    },
    release: async () => {
      isHeld = false
      for (const go of held.splice(0)) go()
      held = []
      await settled()
    },
    /** The batch is this node's own. */
    expect: (batch: Row) => {
      const outcome: string[] = []
      reports.expect(batch.batch, {
        commits: Array.from({ length: batch.last - batch.first + 1 }, () => newNotes(0, userChange('alice'))),
        reported: () => void outcome.push('reported'),
        lost: () => void outcome.push('lost'),
      })
      return outcome
    },
    look: async () => {
      reports.look()
      await settled()
    },
  }
}

test('[F1] what other nodes have written is reported in its order, and not again', async () => {
  const { reports, database, look, told, reads } = newReports()
  database.log = { head: 6, rows: [row(4, 5), row(6)], isCut: false }
  await look()
  expect([told(), reports.position, reports.losses]).toEqual([['announced', [4, 5, 6]], 6, 0])
  await look()
  expect([told(), reads]).toEqual([[], [3, 6]])
})

test('[F1] a batch of this node is reported as it is in memory, without the log', async () => {
  const world = newReports()
  const outcome = world.expect(row(4, 6))
  world.reports.written('batch 4', 6)
  await settled()
  expect([world.told(), outcome, world.reports.position]).toEqual([['announced', [4, 5, 6]], ['reported'], 6])
  expect(world.reads).toEqual([])
})

test('[F1] several batches of this node that follow each other are reported together', async () => {
  const world = newReports()
  world.hold()
  world.reports.look()
  for (const first of [4, 5, 6]) world.expect(row(first))
  for (const position of [4, 5, 6]) world.reports.written(`batch ${position}`, position)
  await world.release()
  expect([world.told(), world.reads]).toEqual([['announced', [4, 5, 6]], [3]])
})

test('[F1] where another node wrote between two batches of this one, the log is read, and each is reported once', async () => {
  const world = newReports()
  const outcome = world.expect(row(5))
  world.database.log = { head: 5, rows: [row(4), row(5)], isCut: false }
  world.reports.written('batch 5', 5)
  await settled()
  expect([world.told(), outcome, world.reads]).toEqual([['announced', [4, 5]], ['reported'], [3]])
})

test('[F1] a batch of this node that was found in the log before its answer came is reported once', async () => {
  const world = newReports()
  const outcome = world.expect(row(4))
  world.database.log = { head: 4, rows: [row(4)], isCut: false }
  await world.look()
  world.reports.written('batch 4', 4)
  await settled()
  expect([world.told(), outcome]).toEqual([['announced', [4]], ['reported']])
})

test('[F1] a batch that was not written is forgotten', async () => {
  const world = newReports()
  const outcome = world.expect(row(4))
  world.reports.forget('batch 4')
  world.reports.written('batch 4', 4)
  world.database.log = { head: 4, rows: [row(4)], isCut: false }
  await world.look()
  expect([world.told(), outcome]).toEqual([['announced', [4]], []])
})

test('[F1] a log that is longer than one read is read to its end, and only then the node has caught up', async () => {
  const { reports, database, look, told, reads, time } = newReports()
  time.nowMs = 1_000
  const whole = [row(4), row(5), row(6)]
  database.log = { head: 6, rows: whole, isCut: false }
  const { logAfter } = database
  const lags: number[] = []
  database.logAfter = async position => {
    lags.push(reports.lagMs)
    const { head, rows } = await logAfter(position)
    return { head, rows: rows.slice(0, 1), isCut: rows.length > 1 }
  }
  await look()
  expect([told(), reads]).toEqual([
    ['announced', [4], 'announced', [5], 'announced', [6]],
    [3, 4, 5],
  ])
  expect([lags, reports.lagMs]).toEqual([[1_000, 1_000, 1_000], 0])
})

test('a node is behind from when it last began to look at a log that had nothing more', async () => {
  const { reports, look, time, hold, release } = newReports()
  time.nowMs = 500
  expect(reports.lagMs).toBe(500)
  hold()
  await look()
  time.nowMs = 800
  await release()
  expect(reports.lagMs).toBe(300)
})

test('[V4] commits up to the one that a result waits for are reported first, and the rest with an announcement of its own', async () => {
  const { database, look, told, awaited, reports } = newReports()
  database.log = { head: 8, rows: [row(4, 5), row(6), row(7, 8)], isCut: false }
  awaited.first = 5
  await look()
  expect(told()).toEqual(['announced', [4, 5], 'announced', [6], 'announced', [7, 8]])
  expect(reports.position).toBe(8)
})

test('[V4] without anything that waits so far, all is reported together', async () => {
  const { database, look, told, awaited } = newReports()
  database.log = { head: 5, rows: [row(4), row(5)], isCut: false }
  awaited.first = 9
  await look()
  expect(told()).toEqual(['announced', [4, 5]])
})

test('[F1] who waits for a position goes on when it is reported, and who waits until all is current after one look', async () => {
  const { reports, database, hold, release, reads } = newReports()
  hold()
  database.log = { head: 4, rows: [row(4)], isCut: false }
  const [reached, current] = [reports.reached(4), reports.current()]
  expect([await isOver(reports.reached(3)), await isOver(reached), await isOver(current)]).toEqual([true, false, false])
  await release()
  expect([await isOver(reached), await isOver(current), reads]).toEqual([true, true, [3, 4]])
})

test('[F1] until all is current the log itself is read, also if batches of this node were written meanwhile', async () => {
  const world = newReports()
  world.expect(row(4))
  world.reports.written('batch 4', 4)
  world.database.log = { head: 5, rows: [row(4), row(5)], isCut: false }
  await world.reports.current()
  expect([world.reports.position, world.reads]).toEqual([5, [4]])
})

test('[F1] a log that cannot be read is said to who waits, and is read again at the next look', async () => {
  const { reports, database, look } = newReports()
  database.failure = new Error('the database is away')
  await expect(reports.reached(4)).rejects.toThrow('the database is away')
  await expect(reports.current()).rejects.toThrow('the database is away')
  expect(reports.failure).toBe(database.failure)
  database.failure = undefined
  database.log = { head: 4, rows: [row(4)], isCut: false }
  await look()
  expect([reports.failure, reports.position]).toEqual([undefined, 4])
})

test.each([
  ['begins after a gap', { head: 9, rows: [row(6, 9)], isCut: false }],
  ['has nothing of what came after', { head: 9, rows: [], isCut: false }],
  ['ends before what was reported', { head: 2, rows: [], isCut: false }],
])('[V7][F1] a log that %s is of another history: the node goes on from its head, and says so once', async (_, log) => {
  const world = newReports()
  const outcome = world.expect(row(20))
  world.database.log = log
  const reached = world.reports.reached(30)
  await settled()
  expect([world.told(), outcome, world.reports.position, world.reports.losses]).toEqual([
    ['lost'],
    ['lost'],
    log.head,
    1,
  ])
  expect(await isOver(reached)).toBe(true)
  await world.look()
  expect([world.told(), world.reports.losses]).toEqual([[], 1])
})

test('[V7] after another history nothing is reported that was written in the one before', async () => {
  const world = newReports()
  world.expect(row(4))
  world.hold()
  world.reports.look()
  await settled()
  world.reports.written('batch 4', 4)
  world.database.log = { head: 9, rows: [], isCut: false }
  await world.release()
  expect([world.told(), world.reports.position]).toEqual([['lost'], 9])
})

test.each([
  ['reaches further', 5, ['announced', [4]], 0],
  ['reaches just as far', 3, ['announced', [4]], 0],
  ['reaches less far', 2, ['lost'], 1],
  ['is not known any more', undefined, ['lost'], 1],
])(
  '[V7][F1] after the database was opened anew, what was reported counts if the run %s',
  async (_, reach, told, losses) => {
    const world = newReports()
    world.database.run = secondRun
    world.database.reach = reach
    world.database.log = { head: 4, rows: [row(4)], isCut: false }
    expect(await world.reports.settledRun()).toEqual(secondRun)
    await settled()
    expect([world.told(), world.reports.losses, world.reports.run, world.reports.position]).toEqual([
      told,
      losses,
      secondRun,
      4,
    ])
  },
)

test('[V7][F1] what was read while the database was opened anew is read again, once it is known that the history goes on', async () => {
  const world = newReports()
  world.database.log = { head: 4, rows: [row(4)], isCut: false }
  world.hold()
  world.reports.look()
  await settled()
  world.database.run = secondRun
  world.database.reach = 2
  await world.release()
  expect([world.told(), world.reports.position, world.reports.losses]).toEqual([['lost'], 4, 1])
})

test('after a node has closed nothing is reported, and nobody waits', async () => {
  const { reports, database, hold, release, look, told, reads } = newReports()
  database.log = { head: 4, rows: [row(4)], isCut: false }
  hold()
  const reached = reports.reached(9)
  await settled()
  const closed = reports.close()
  expect(await isOver(closed)).toBe(false)
  await release()
  expect([await isOver(closed), await isOver(reached), told()]).toEqual([true, true, ['announced', [4]]])
  await look()
  database.run = secondRun
  expect([await isOver(reports.reached(9)), await isOver(reports.settledRun()), reads.length]).toEqual([true, true, 1])
  await expect(reports.current()).rejects.toThrow('the store is closing')
})
