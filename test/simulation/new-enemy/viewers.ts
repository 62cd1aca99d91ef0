import { keys, ranges } from '../../support/server-internals.ts'
import { settle } from '../../support/server-world.ts'
import type { Stop } from './gates.ts'
import { type Act, type Town, turns } from './town.ts'

/** The activity of Bob's device while Alice acts. */
export interface Viewer {
  /** As in `a viewer who …`. */
  name: string
  /** Whether an event of this viewer happens between the first act and the second. */
  isBetween?: boolean
  /** Whether the viewer does not follow, but has just opened the profile. */
  isStranger?: boolean
  /** Whether the server must send many bytes. */
  isLong?: boolean
  /** Runs before the acts begin. */
  prepare?(town: Town): Promise<void>
  meet(town: Town, acts: readonly Act[]): Promise<void>
}

export const viewers: readonly Viewer[] = [
  { name: 'follows live', meet: (_, acts) => all(acts) },
  { name: 'only looks', isStranger: true, meet: (_, acts) => all(acts) },
  { name: 'is slow', isLong: true, prepare: takeNothing, meet: slow },
  {
    name: 'reconnects with an old cursor',
    prepare: leave,
    meet: ({ bob }, acts) => all([...acts, () => bob.signIn()]),
  },
  {
    name: 'reconnects with an old cursor in between',
    isBetween: true,
    prepare: leave,
    meet: ({ bob }, [first, ...rest]) => all([first as Act, () => bob.signIn(), ...rest]),
  },
  {
    name: 'starts afresh',
    prepare: leave,
    async meet({ bob }, acts) {
      await all(acts)
      bob.cursor = new Uint8Array()
      await bob.signIn()
    },
  },
  { name: 'catches up while it is being written', prepare: leave, meet: whileItIsWritten },
  { name: 'catches up while it is on disk and not told', prepare: leave, meet: writtenAndNotTold },
  ...(['relations', 'users', 'views', 'levels'] as const).flatMap((read): Viewer[] => [
    {
      name: `catches up, having read ${read} before it`,
      prepare: read === 'relations' ? depart : leave,
      meet: (town, acts) => catchUp(town, read, acts, []),
    },
    {
      name: `catches up in between, having read ${read} before it`,
      isBetween: true,
      prepare: read === 'relations' ? depart : leave,
      meet: (town, [first, ...rest]) => catchUp(town, read, [first as Act], rest),
    },
  ]),
]

async function all(acts: readonly Act[]): Promise<void> {
  for (const act of acts) await act()
}

/** The network accepts nothing of what Bob receives, so the feed keeps the names of stale data. */
async function takeNothing({ bob, world, phone, level }: Town): Promise<void> {
  const [dora] = await world.devices('dora')
  bob.edit('dora', { isSubscribed: true })
  await settle(bob)
  bob.socket.pause()
  dora.setField('picture', 'x'.repeat(8_000_000))
  await settle(dora)
  for (const mood of ['stale one', 'stale two']) {
    await phone.setField('mood', mood, level)
    await phone.settle()
  }
}

async function slow({ bob }: Town, acts: readonly Act[]): Promise<void> {
  await all(acts)
  bob.socket.resume()
  await settle(bob)
  if (bob.received('stale one')) throw new Error('the viewer was not slow')
}

async function depart({ bob }: Town): Promise<void> {
  await bob.close()
}

/** Bob disconnects, and something happens that he may still see. */
async function leave({ bob, phone, level }: Town): Promise<void> {
  await bob.close()
  await phone.setField('mood', 'well', level)
  await phone.settle()
}

/** The write that shuts Bob out is in progress when he says hello. */
async function whileItIsWritten({ bob, gates }: Town, acts: readonly Act[]): Promise<void> {
  await bob.connect()
  const write = gates.stop('batch', 'before', concernsBoth)
  const acting = all(acts)
  await write.arrived
  const hello = bob.hello()
  await turns()
  write.release()
  await Promise.all([acting, hello])
}

/** Bob's permission is read before the batch and his level after it. No session has been notified of the batch yet. */
async function writtenAndNotTold(town: Town, acts: readonly Act[]): Promise<void> {
  const { bob, gates, level } = town
  await bob.connect()
  const change = gates.stop('getMany', 'before', wanted => wanted.includes(keys.relation('alice', 'bob')))
  const acting = all(acts)
  await change.arrived
  const permission = stopRead(town, 'views')
  const hello = bob.hello()
  await permission.arrived
  const write = gates.stop('batch', 'after', touched => touched.includes(keys.level('alice', level)))
  change.release()
  await write.arrived
  permission.release()
  await turns()
  write.release()
  await Promise.all([acting, hello])
}

/** Stops a read for Bob's catch-up. The `meanwhile` acts happen before its result is used. */
async function catchUp(town: Town, what: Read, meanwhile: readonly Act[], after: readonly Act[]): Promise<void> {
  const { bob } = town
  await bob.connect()
  const read = stopRead(town, what)
  const hello = bob.hello()
  await read.arrived
  await all(meanwhile)
  read.release()
  await hello
  await all(after)
}

type Read = 'relations' | 'users' | 'views' | 'levels'

/** The reads of an opening feed, in their order. */
function stopRead({ gates, level }: Town, read: Read): Stop {
  switch (read) {
    case 'relations':
      return gates.stop('iterator', 'after', ([from]) => from === ranges.relations('bob').gt)
    case 'users':
      return gates.stop('getMany', 'after', wanted => wanted.length === 1 && wanted[0] === keys.user('alice'))
    case 'views':
      return gates.stop('getMany', 'after', isView)
    case 'levels':
      return gates.stop('getMany', 'after', wanted => wanted.includes(keys.level('alice', level)))
  }
}

/** Whether the read asks only for what Bob may see of Alice. A commit that changes it reads both sides. */
function isView(wanted: readonly string[]): boolean {
  return wanted.includes(keys.relation('bob', 'alice')) && !wanted.includes(keys.relation('alice', 'bob'))
}

function concernsBoth(touched: readonly string[]): boolean {
  return touched.includes(keys.relation('alice', 'bob')) || touched.includes(keys.relation('bob', 'alice'))
}
