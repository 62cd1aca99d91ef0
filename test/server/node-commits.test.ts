import type { Commit } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { defaultLimits } from '@kith/shared'
import { expect, test } from 'vitest'
import { Link } from '../simulation/world/link.ts'
import { Seeded } from '../simulation/world/seeded.ts'
import { SharedLog } from '../simulation/world/shared-log.ts'
import {
  type Batch,
  CommitListeners,
  Commits,
  NodeLease,
  type Outcome,
  othersTurn,
  profileChange,
  Reports,
  rosterChange,
  turnForSlice,
  userChange,
} from '../support/server-internals.ts'
import { isOver, settled } from '../support/test-table.ts'

/** The result of a batch: it is written and answered in this way, or it is not written. */
type Answer = Outcome['status'] | 'lost connection' | 'unconfirmed' | 'failure'

const lostConnection = new Error('the connection was lost')

/** The commits of one node of a database in memory. A test can replace the response that a batch is written. */
async function newCommits() {
  const clock = new TestClock()
  const log = new SharedLog(() => clock.now(), { opened: () => undefined, written: () => undefined })
  log.open()
  const link = new Link(log, clock, new Seeded(1), () => undefined)
  const answers: Answer[] = []
  const batches: Batch[] = []
  let alone = 0
  const answer = async (batch: Batch, write: (batch: Batch) => Promise<Outcome>): Promise<Outcome> => {
    batches.push(batch)
    const given = answers.shift()
    if (given === undefined || given === 'written') return write(batch)
    if (given === 'unconfirmed') return { ...(await write(batch)), isConfirmed: false }
    if (given === 'lost connection') throw lostConnection
    if (given === 'failure') throw new Error('the database refuses it')
    return { status: given, last: log.head, isConfirmed: true }
  }
  const { write, alone: writeAlone } = link
  link.write = batch => answer(batch, write)
  link.alone = work => {
    alone++
    return writeAlone.call(link, own => work(batch => answer(batch, own)))
  }
  link.isConnectionLost = error => error === lostConnection
  const listeners = new CommitListeners()
  const reported: number[] = []
  listeners.add({ committed: some => void reported.push(...some.map(({ position }) => position)) })
  const reports = new Reports({
    ...{ database: link, listeners, position: 0, elapsed: () => clock.elapsed(), lost: () => undefined },
  })
  const applied = (): number => reports.position
  const lease = new NodeLease({ table: link.nodes, clock, applied, reached: to => reports.reached(to) })
  await lease.join()
  const commits = new Commits({
    ...{
      database: link,
      reports,
      lease,
      incarnations: log.incarnations,
      limits: defaultLimits,
      clock,
      leaseClock: clock,
    },
  })
  return {
    ...{ clock, log, link, lease, reports, commits, answers, batches, reported },
    get alone() {
      return alone
    },
    /** Lets time pass, with all its effects. */
    async move(ms: number, stepMs = 100) {
      for (let passed = 0; passed < ms; passed += stepMs) {
        clock.move(stepMs)
        await settled()
      }
    },
  }
}

/** Resolves to the message of the rejection, or to the position of the commit. */
function outcomeOf(commit: Promise<Commit>): Promise<unknown> {
  return commit.then(
    ({ position }) => position,
    (error: Error) => error.message,
  )
}

test('[D4] a batch that conflicts is derived again, and after three conflicts it is written while no other node can write', async () => {
  const node = await newCommits()
  node.answers.push('conflict', 'too-old', 'conflict')
  const { position } = await node.commits.commit(userChange('alice'))
  expect([position, node.batches.length, node.alone, node.commits.conflicts]).toEqual([1, 4, 1, 3])
  expect(new Set(node.batches.map(({ id }) => id)).size).toBe(4)
})

test('[D4] changes that are written while no other node can write are written once', async () => {
  const node = await newCommits()
  node.answers.push('written', 'conflict', 'conflict', 'conflict')
  const all = ['alice', 'bob', 'carol'].map(user => node.commits.commit(userChange(user)))
  expect((await Promise.all(all)).map(({ position }) => position)).toEqual([1, 2, 3])
  await settled()
  expect([node.log.head, node.batches.length]).toEqual([3, 5])
})

test('[D4] a batch that conflicts twice is written with others writing', async () => {
  const node = await newCommits()
  node.answers.push('conflict', 'conflict')
  await node.commits.commit(userChange('alice'))
  expect([node.batches.length, node.alone, node.commits.conflicts]).toEqual([3, 0, 2])
})

test('[S3] a large change that all nodes wait for does not stand in the line of long work', async () => {
  const node = await newCommits()
  const turns: unknown[] = []
  const records = node.link.records.bind(node.link)
  Object.assign(node.link, {
    records(turn: unknown) {
      turns.push(turn)
      return records()
    },
  })
  const facts = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`user ${index}`, { isContact: true }]))
  node.answers.push(...Array<Answer>(6).fill('conflict'))
  await node.commits.commit(rosterChange('alice', facts))
  expect(node.alone).toBe(1)
  expect(turns).toEqual([...Array(6).fill(turnForSlice), othersTurn])
})

test.each([
  ['conflicts', 'conflict', 'although none could be written'],
  ['finds no lease', 'fenced', 'lost its lease'],
] as const)('[D4] a batch that %s even while no other can be written is rejected', async (_, status, message) => {
  const node = await newCommits()
  node.answers.push('conflict', 'conflict', 'conflict', status)
  await expect(node.commits.commit(userChange('alice'))).rejects.toThrow(message)
  const next = outcomeOf(node.commits.commit(userChange('bob')))
  await node.move(500)
  expect(await next).toBe(1)
})

test('[V4] a batch of a node without its lease is derived again when the lease is renewed, and rejected the third time', async () => {
  const node = await newCommits()
  node.answers.push('fenced', 'fenced')
  const written = outcomeOf(node.commits.commit(userChange('alice')))
  await node.move(500)
  expect([await written, node.batches.length]).toEqual([1, 3])
  node.answers.push('fenced', 'fenced', 'fenced')
  const rejected = outcomeOf(node.commits.commit(userChange('bob')))
  await node.move(500)
  expect([await rejected, node.batches.length]).toEqual([expect.stringMatching('lost its lease'), 6])
})

test('[V4] a change waits 10 s for the lease of its node', async () => {
  const node = await newCommits()
  const { renew, join } = node.link.nodes
  let isAway = true
  const away = <T>(work: () => Promise<T>): Promise<T> => (isAway ? Promise.reject(lostConnection) : work())
  node.link.nodes.renew = (...given) => away(() => renew(...given))
  node.link.nodes.join = (...given) => away(() => join(...given))
  await node.move(2_000)
  const timers = node.clock.timerCount
  const rejected = outcomeOf(node.commits.commit(userChange('alice')))
  await node.move(9_900)
  expect(await isOver(rejected)).toBe(false)
  await node.move(100)
  expect([await isOver(rejected), await rejected]).toEqual([true, expect.stringMatching('lost its lease')])
  const written = outcomeOf(node.commits.commit(userChange('bob')))
  await node.move(5_000)
  isAway = false
  await node.move(500)
  expect([await written, node.batches.length, node.clock.timerCount]).toEqual([1, 1, timers])
})

test('[D2] while the connection is lost the same batch is sent again every 200 ms, 50 times', async () => {
  const node = await newCommits()
  node.answers.push(...Array<Answer>(49).fill('lost connection'))
  const written = outcomeOf(node.commits.commit(userChange('alice')))
  await settled()
  expect(node.batches.length).toBe(1)
  await node.move(100)
  expect(node.batches.length).toBe(1)
  await node.move(100)
  expect(node.batches.length).toBe(2)
  await node.move(48 * 200)
  expect([await written, node.batches.length, new Set(node.batches).size]).toEqual([1, 50, 1])
  node.answers.push(...Array<Answer>(50).fill('lost connection'))
  const rejected = outcomeOf(node.commits.commit(userChange('bob')))
  await settled()
  await node.move(49 * 200)
  expect([await rejected, node.batches.length]).toEqual(['the connection was lost', 100])
})

test('[D2] a batch whose outcome is unknown is sent again for a minute, however long an attempt takes', async () => {
  const node = await newCommits()
  const { write } = node.link
  node.link.write = async batch => {
    await new Promise<void>(resolve => node.clock.after(25_000, resolve))
    return write(batch)
  }
  node.answers.push(...Array<Answer>(50).fill('lost connection'))
  const rejected = outcomeOf(node.commits.commit(userChange('alice')))
  await settled()
  await node.move(200_000)
  expect([await isOver(rejected), node.batches.length]).toEqual([true, 3])
  expect(await rejected).toBe('the connection was lost')
})

const conflicts = Array<Answer>(3).fill('conflict')

test.each([
  ['its connection was lost', [], 'lost connection', 'fenced', 'the connection was lost'],
  ['no standby had confirmed it', [], 'unconfirmed', 'fenced', 'no standby has confirmed'],
  ['no standby had confirmed it, and the log goes on', [], 'unconfirmed', 'too-old', 'no standby has confirmed'],
  [
    'no standby had confirmed it, which was written while no other could be',
    conflicts,
    'unconfirmed',
    'fenced',
    'no standby has confirmed',
  ],
] as const)(
  '[D2] a node that was paused when the outcome of a batch was unknown does not derive its changes again: %s',
  async (_, before, unknown, after, message) => {
    const node = await newCommits()
    node.answers.push(...before, unknown, after)
    const rejected = outcomeOf(node.commits.commit(userChange('alice')))
    await settled()
    node.clock.move(15 * 60_000)
    await node.move(1_000)
    expect([await rejected, node.batches.length]).toEqual([expect.stringMatching(message), before.length + 2])
  },
)

test.each([
  ['was set back meanwhile', 15 * 60_000, -15 * 60_000],
  ['alone went on, since the machine was suspended', 0, 15 * 60_000],
])(
  '[D2] the changes of a batch of unknown outcome are not derived again after a pause, although the time of day %s',
  async (_, passedMs, setMs) => {
    const node = await newCommits()
    node.answers.push('lost connection', 'fenced')
    const { write } = node.link
    node.link.write = async batch => {
      if (node.batches.length === 1) {
        node.clock.move(passedMs)
        node.clock.set(setMs)
      }
      return write(batch)
    }
    const rejected = outcomeOf(node.commits.commit(userChange('alice')))
    await node.move(1_000)
    expect([await rejected, node.batches.length]).toEqual(['the connection was lost', 2])
  },
)

test.each([
  ['the connection was lost', 'lost connection', 'the connection was lost'],
  ['no standby confirmed', 'unconfirmed', 'no standby has confirmed'],
] as const)('[D2] if %s and the batch then fails, no change of it is tried alone', async (_, answer, message) => {
  const node = await newCommits()
  const first = node.commits.commit(userChange('first'))
  const all = ['one', 'two', 'three'].map(user => outcomeOf(node.commits.commit(userChange(user))))
  await first
  node.answers.push(answer, 'failure')
  await node.move(1_000)
  for (const outcome of await Promise.all(all)) expect(outcome).toMatch(message)
  expect(node.batches.map(({ changes }) => changes.length)).toEqual([1, 3, 3])
})

test('[D2] what a standby has not confirmed is not answered: it is sent again every 200 ms, without a lease meanwhile', async () => {
  const node = await newCommits()
  node.answers.push('unconfirmed', 'unconfirmed')
  const written = outcomeOf(node.commits.commit(userChange('alice')))
  await settled()
  expect([node.lease.isCurrent(), node.log.head, await isOver(written)]).toEqual([false, 1, false])
  await node.move(200)
  expect([node.lease.isCurrent(), await isOver(written)]).toEqual([false, false])
  await node.move(200)
  expect([await written, node.batches.length, new Set(node.batches).size]).toEqual([1, 3, 1])
  await node.move(100)
  expect(node.lease.isCurrent()).toBe(true)
  node.answers.push(...Array<Answer>(50).fill('unconfirmed'))
  const rejected = outcomeOf(node.commits.commit(userChange('bob')))
  await settled()
  await node.move(49 * 200)
  expect([await rejected, node.batches.length]).toEqual([expect.stringMatching('no standby has confirmed'), 53])
})

test('[D2] a batch that was written in vain while nothing else could be is sent again until a standby confirms it', async () => {
  const node = await newCommits()
  node.answers.push('conflict', 'conflict', 'conflict', 'unconfirmed')
  const written = outcomeOf(node.commits.commit(userChange('alice')))
  await settled()
  expect([node.alone, await isOver(written)]).toEqual([1, false])
  await node.move(200)
  expect([await written, node.batches.length]).toEqual([1, 5])
})

test('[D4] changes that arrive together share batches of 256 at most, in their order', async () => {
  const node = await newCommits()
  const all = Array.from({ length: 514 }, (_, index) => node.commits.commit(userChange(`user ${index}`)))
  const positions = (await Promise.all(all)).map(({ position }) => position)
  expect(positions).toEqual(Array.from({ length: 514 }, (_, index) => index + 1))
  expect(node.batches.map(({ changes }) => changes.length)).toEqual([1, 256, 256, 1])
})

test('[D4] if a batch cannot be written, each of its changes is tried alone', async () => {
  const node = await newCommits()
  node.answers.push('failure', 'failure', 'written', 'failure', 'written')
  const first = outcomeOf(node.commits.commit(userChange('first')))
  const [one, two, three] = ['one', 'two', 'three'].map(user => outcomeOf(node.commits.commit(userChange(user))))
  expect(await first).toBe('the database refuses it')
  expect(await Promise.all([one, two, three])).toEqual([1, 'the database refuses it', 2])
  expect(node.batches.map(({ changes }) => changes.length)).toEqual([1, 3, 1, 1, 1])
})

test.each([
  ['the connection is lost', 'lost connection', 'the connection was lost'],
  ['the node has no lease', 'fenced', 'lost its lease'],
  ['no standby confirms', 'unconfirmed', 'no standby has confirmed'],
] as const)('[D2] if %s, no change of the batch is tried alone', async (_, answer, message) => {
  const node = await newCommits()
  const first = node.commits.commit(userChange('first'))
  const all = ['one', 'two', 'three'].map(user => outcomeOf(node.commits.commit(userChange(user))))
  await first
  node.answers.push(...Array<Answer>(200).fill(answer))
  await node.move(15_000)
  for (const outcome of await Promise.all(all)) expect(outcome).toMatch(message)
  expect(node.batches.slice(1).every(({ changes }) => changes.length === 3)).toBe(true)
})

test('[D7][D4] of the changes of a batch those are rejected that build on a document that is another by now, or come from a session that was revoked, and the others are written', async () => {
  const node = await newCommits()
  await node.commits.commit(profileChange('alice', { 0: 'Alice' }))
  await node.commits.commit({ type: 'revoke', user: 'carol' })
  const changes = [
    userChange('zoe'),
    { ...profileChange('alice', { 0: 'A' }), buildsOn: { profile: 0 } },
    { ...profileChange('alice', { 0: 'B' }), buildsOn: { profile: 1, roster: 0 }, signedInAt: 0 },
    { ...profileChange('carol', { 0: 'C' }), signedInAt: 1 },
    { ...profileChange('carol', { 0: 'D' }), signedInAt: 2 },
    { ...profileChange('carol', { 0: 'E' }), signedInAt: 1, buildsOn: { profile: 9, roster: 9 } },
    { ...profileChange('dave', { 0: 'F' }), buildsOn: { roster: 1 } },
    profileChange('dave', { 0: 'G' }),
  ]
  const first = node.commits.commit(userChange('yves'))
  const outcomes = await Promise.all(changes.map(change => outcomeOf(node.commits.commit(change))))
  await first
  const outdated = (user: string): string => `a document of "${user}" was changed by another node`
  const revoked = 'a session of "carol" was revoked'
  expect(outcomes).toEqual([4, outdated('alice'), 5, revoked, 6, revoked, outdated('dave'), 7])
})

test('[D2] a batch of a history that was lost is rejected, and the log is read', async () => {
  const node = await newCommits()
  node.answers.push('history-lost')
  await expect(node.commits.commit(userChange('alice'))).rejects.toThrow('the history of the database')
})

test('[D2] a node that closes takes no more changes, and resolves when those that it took are reported', async () => {
  const node = await newCommits()
  let go = (): void => undefined
  const { write } = node.link
  node.link.write = async batch => {
    await new Promise<void>(resolve => (go = resolve))
    return write(batch)
  }
  const taken = outcomeOf(node.commits.commit(profileChange('alice', { 0: 'Alice' })))
  await settled()
  const closed = node.commits.close()
  await expect(node.commits.commit(userChange('bob'))).rejects.toThrow('the store is closing')
  expect(await isOver(closed)).toBe(false)
  go()
  await closed
  expect([await taken, node.reported]).toEqual([1, [1]])
})

test('[D2] a node that closes while its connection is lost does not wait for another', async () => {
  const node = await newCommits()
  node.answers.push(...Array<Answer>(50).fill('lost connection'))
  const taken = outcomeOf(node.commits.commit(userChange('alice')))
  await settled()
  const closed = node.commits.close()
  await node.move(200)
  expect(await isOver(closed)).toBe(true)
  expect([await taken, node.batches.length]).toEqual(['the connection was lost', 2])
})

test('[D2] a node that closes while no standby confirms does not wait for one', async () => {
  const node = await newCommits()
  node.answers.push(...Array<Answer>(50).fill('unconfirmed'))
  const taken = outcomeOf(node.commits.commit(userChange('alice')))
  await settled()
  const closed = node.commits.close()
  await node.move(200)
  expect(await isOver(closed)).toBe(true)
  expect([await taken, node.batches.length]).toEqual([expect.stringMatching('no standby has confirmed'), 2])
})
