import type { ContentLimits } from '@kith/shared'
import fc from 'fast-check'
import type { Operation } from '../model/plans.ts'
import type { Hostility } from '../world/hostile-server.ts'
import type { LinkFault } from '../world/link.ts'

/** Three users. Two of them have two devices. */
export const users = ['alice', 'bob', 'carol'] as const
export const owners = ['alice', 'alice', 'bob', 'bob', 'carol'] as const

/** An operation on a device. Its target is one of the two other users. */
export type Act =
  | { type: 'sync' | 'update'; whom: readonly number[]; levels?: readonly number[] | null; follows?: boolean }
  | {
      type: 'save'
      whom: number
      levels?: readonly number[] | null
      follows?: boolean
      label?: boolean
      blocks?: boolean
    }
  | { type: 'remove' | 'meet'; whom: number }
  | { type: 'confirm'; whom: number }
  | { type: 'audience'; audience: 'everyone' | 'contacts' | 'nobody' }
  | { type: 'hide'; isHidden: boolean }
  | { type: 'autoSync'; isOn: boolean }
  | { type: 'set'; level: number; field: string }
  | { type: 'unset'; level: number; field: string }

/** One step of a history. */
export type Step =
  | { do: 'act'; device: number; act: Act }
  | { do: 'send'; device: number; whom: number }
  /** The app begins or ends showing whether a user is online. */
  | { do: 'watch' | 'unwatch'; device: number; whom: number }
  | { do: 'sync'; device: number }
  /** As many waiting events happen as there are picks, in the order of these picks. */
  | { do: 'next'; picks: number[] }
  | { do: 'flow' }
  | { do: 'pass'; seconds: number; flows: boolean }
  | { do: 'connect' | 'disconnect' | 'close' | 'openTab' | 'lose' | 'backUp' | 'restore'; device: number }
  /** On a device with two tabs, the other tab acts from now on, or one tab closes. */
  | { do: 'turn' | 'closeTab'; device: number }
  /** On a device with two tabs, the acting tab freezes and the other tab acts from now on; or the frozen tab continues. */
  | { do: 'freeze' | 'thaw'; device: number }
  /** A device's battery fails; or the acting one of two tabs crashes, and the other continues. */
  | { do: 'kill' | 'killTab'; device: number; afterTurns: number; act?: Act }
  | { do: 'cut'; pick: number; told: 'both' | 'device' | 'server' }
  | { do: 'partition'; device: number; isCut: boolean }
  | { do: 'slowNetwork' | 'slowDisk'; isSlow: boolean }
  | { do: 'failWrite'; fault: 'refused' | 'written all the same' }
  | { do: 'killServer'; losesFrames: boolean }
  | { do: 'startServer' | 'backUpServer' | 'restoreServer' | 'loseServerStore' }
  | { do: 'restartServer'; compacts: boolean }
  /** The server continues with other limits: some lowered, or the defaults. */
  | { do: 'limits'; limits: Partial<ContentLimits> }
  /** Devices that reconnect are answered by a lying server, or by the true one again. */
  | { do: 'hostile'; hostility: Hostility }
  | { do: 'honest' }
  | { do: 'restrict'; user: number; restricted: boolean }
  | { do: 'register'; user: number; announceJoin: boolean }
  | { do: 'pair'; a: number; b: number; isPaired: boolean }
  | { do: 'erase' | 'revoke'; user: number }
  | { do: 'refound'; user: number; document: 'roster' | 'profile' }
  | NodeStep

/** Steps for one of several servers, by number. */
export type NodeStep =
  /** A device moves to another server, with or without a reason. */
  | { do: 'move'; device: number; node: number }
  | { do: 'killNode'; node: number; losesFrames: boolean }
  /** SIGTERM, a start, or a process that freezes or continues. */
  | { do: 'stopNode' | 'startNode' | 'freezeNode' | 'thawNode'; node: number }
  /** Traffic between a server and the database waits, or no longer waits. */
  | { do: 'slowNode'; node: number; isSlow: boolean }
  /** The server's connection to the database breaks at the next batch. */
  | { do: 'failBatch'; node: number; fault: LinkFault }
  | { do: 'failOver'; isLossy: boolean }
  /** Old rows leave the log of the database. A node that is further behind finds a gap. */
  | { do: 'trimLog' }

export interface History {
  seed: number
  /** The numbers of the participating devices. Steps name a device by its place in this list, modulo its length. */
  cast: readonly number[]
  /** Alice and Bob know each other, and each shows the other something. */
  isAcquainted: boolean
  /** The limit for bytes outstanding on a socket. */
  outstandingBytes: number
  hasTabs: boolean
  /** How many servers share one database. Without it, one server has a disk. */
  nodes?: number
  steps: Step[]
}

export const device: fc.Arbitrary<number> = fc.nat(11)
const user = fc.nat(users.length - 1)
// For Alice, the first other user is Bob; for Bob, it is Alice.
const whom = fc.constantFrom(0, 0, 0, 1)
const everyone = fc.constantFrom([0], [0], [1], [0, 1])
const level = fc.constantFrom(0, 1, 2)
const levels = fc.constantFrom([], [0], [1], [2], [1, 2], [0, 1, 2], null)
const field = fc.constantFrom('name', 'mood')

/** Generates the given fields, each with a value or left out. */
function some<T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  return fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>
}

const preferences = some({ levels, follows: fc.boolean() })
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.tuple(fc.constantFrom('sync' as const, 'update' as const), everyone, preferences).map(([type, whom, rest]) => ({
    type,
    whom,
    ...rest,
  })),
  {
    weight: 2,
    arbitrary: fc
      .tuple(whom, some({ levels, follows: fc.boolean(), label: fc.boolean(), blocks: fc.boolean() }))
      .map(([whom, rest]) => ({ type: 'save' as const, whom, ...rest })),
  },
  fc.record({ type: fc.constantFrom('remove' as const, 'meet' as const), whom }),
  fc.record({ type: fc.constant('confirm' as const), whom }),
  fc.record({
    type: fc.constant('audience' as const),
    audience: fc.constantFrom('everyone' as const, 'contacts' as const, 'nobody' as const),
  }),
  fc.record({ type: fc.constant('autoSync' as const), isOn: fc.boolean() }),
  fc.record({ type: fc.constant('hide' as const), isHidden: fc.boolean() }),
  { weight: 3, arbitrary: fc.record({ type: fc.constant('set' as const), level, field }) },
  fc.record({ type: fc.constant('unset' as const), level, field }),
)

const picks = fc.array(fc.nat(30), { minLength: 1, maxLength: 8 })
const flow: fc.Arbitrary<Step> = fc.constant({ do: 'flow' as const })
export const ordinary: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('act' as const), device, act }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('next' as const), picks }) },
  { weight: 4, arbitrary: flow },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sync' as const), device }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('send' as const), device, whom }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('watch' as const, 'watch' as const, 'unwatch' as const), device, whom }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('connect' as const, 'disconnect' as const, 'close' as const, 'openTab' as const),
      device,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('turn' as const, 'closeTab' as const), device }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      seconds: fc.constantFrom(2, 20, 130),
      flows: fc.boolean(),
    }),
  },
)

/** In this world, a field name takes 4 bytes, a label or a value 5 or 6, and a roster entry about 20. */
const limits: fc.Arbitrary<Partial<ContentLimits>> = fc.constantFrom<Partial<ContentLimits>[]>(
  {},
  { labelBytes: 2 },
  { fieldNameBytes: 2 },
  { profileLevels: 1 },
  { profileBytes: 50 },
  { relations: 1 },
  { rosterBytes: 60 },
  { rosterBytes: 150 },
  { labelBytes: 2, profileLevels: 1, rosterBytes: 150 },
)
const hostility = fc.constantFrom<Hostility[]>(
  'refuses all',
  'refuses true',
  'refuses profiles',
  'forgets',
  'too large',
)

const fault: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('cut' as const),
    pick: fc.nat(10),
    told: fc.constantFrom('both' as const, 'device' as const, 'server' as const),
  }),
  fc.record({ do: fc.constant('partition' as const), device, isCut: fc.boolean() }),
  fc.record({ do: fc.constantFrom('slowNetwork' as const, 'slowDisk' as const), isSlow: fc.boolean() }),
  fc.record({
    do: fc.constant('failWrite' as const),
    fault: fc.constantFrom('refused' as const, 'written all the same' as const),
  }),
  fc.record({ do: fc.constant('killServer' as const), losesFrames: fc.boolean() }),
  fc.record({
    do: fc.constantFrom(
      'startServer' as const,
      'backUpServer' as const,
      'restoreServer' as const,
      'loseServerStore' as const,
    ),
  }),
  fc.record({ do: fc.constant('restartServer' as const), compacts: fc.boolean() }),
  fc
    .tuple(fc.constantFrom('kill' as const, 'killTab' as const), device, fc.nat(40), fc.option(act, { nil: undefined }))
    .map(([kind, device, afterTurns, act]) => ({ do: kind, device, afterTurns, ...(act ? { act } : {}) })),
  fc.record({ do: fc.constantFrom('lose' as const, 'backUp' as const, 'restore' as const), device }),
  fc.record({ do: fc.constantFrom('freeze' as const, 'freeze' as const, 'thaw' as const), device }),
)

const backend: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('restrict' as const), user, restricted: fc.boolean() }),
  fc.record({ do: fc.constant('register' as const), user, announceJoin: fc.boolean() }),
  fc.record({ do: fc.constant('pair' as const), a: user, b: user, isPaired: fc.boolean() }),
  fc.record({ do: fc.constantFrom('erase' as const, 'revoke' as const), user }),
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('refound' as const),
      user: fc.constantFrom(0, 0, 1),
      document: fc.constantFrom('roster' as const, 'profile' as const),
    }),
  },
)

/** A server that accepts less than before, that lies, or that has lost its data. */
const refusal: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('limits' as const), limits }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('hostile' as const), hostility }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('honest' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'backUpServer' as const,
        'restoreServer' as const,
        'loseServerStore' as const,
        'loseServerStore' as const,
      ),
    }),
  },
)

/** The steps of a history, by kind. */
export interface Doings {
  ordinary: fc.Arbitrary<Step>
  faults: fc.Arbitrary<Step>
  /** Whether servers refuse data of devices in some histories. */
  hasRefusals: boolean
}

/** Steps for devices and server. `refusals`: the share of steps that make a server refuse data of devices. */
function stepsWith(
  doings: Doings,
  weights: { faults: number; backend: number; refusals: number },
): fc.Arbitrary<Step[]> {
  // Time passes, so that devices reconnect to such a server, and later to the one after it.
  const comingBack: Step = { do: 'pass', seconds: 5, flows: true }
  const few = fc.oneof(
    { weight: 12, arbitrary: doings.ordinary.map(step => [step]) },
    { weight: weights.faults, arbitrary: doings.faults.map(step => [step]) },
    { weight: weights.backend, arbitrary: backend.map(step => [step]) },
    { weight: weights.refusals, arbitrary: refusal.map(step => [step, comingBack]) },
  )
  return fc.array(few, { minLength: 6, maxLength: 30 }).map(steps => steps.flat())
}

/** Several users with several devices, with any operations under any faults. */
export function historiesOf(doings: Doings): fc.Arbitrary<History> {
  return fc.record({
    seed: fc.nat(2 ** 31),
    // With fewer devices, more steps concern the same data.
    cast: fc.constantFrom([0, 2], [0, 1, 2], [0, 1, 2], [0, 2, 3], [0, 2, 4], [0, 1, 2, 3, 4]),
    isAcquainted: fc.boolean(),
    outstandingBytes: fc.constantFrom(64 * 1024, 64 * 1024, 120),
    hasTabs: fc.constantFrom(false, false, false, true),
    steps: fc.oneof(
      { weight: 2, arbitrary: stepsWith(doings, { faults: 3, backend: 2, refusals: 0 }) },
      {
        weight: doings.hasRefusals ? 1 : 0,
        arbitrary: stepsWith(doings, { faults: 2, backend: 1, refusals: 3 }),
      },
    ),
  })
}

export const histories: fc.Arbitrary<History> = historiesOf({ ordinary, faults: fault, hasRefusals: true })

/** How Alice and Bob become acquainted. */
export const acquaintance: readonly Step[] = [
  { do: 'act', device: 0, act: { type: 'set', level: 0, field: 'name' } },
  { do: 'act', device: 0, act: { type: 'set', level: 1, field: 'mood' } },
  { do: 'act', device: 0, act: { type: 'sync', whom: [0], levels: [1], follows: true } },
  { do: 'act', device: 2, act: { type: 'set', level: 2, field: 'name' } },
  { do: 'act', device: 2, act: { type: 'sync', whom: [0], levels: [1, 2], follows: true } },
  { do: 'flow' },
]

/** Returns which user one of two numbers means for a user. */
export function otherOf(user: string, index: number): string {
  return users.filter(other => other !== user)[index] as string
}

/** Translates an act into an operation of the model. `secret` returns a value that occurs nowhere else. */
export function operationOf(
  user: string,
  act: Act,
  secret: (kind: 'field' | 'label', where: { level?: number; field?: string }) => string,
  incarnationOf: (user: string) => string,
): Operation {
  switch (act.type) {
    case 'sync':
    case 'update':
      return { ...act, whom: act.whom.map(index => otherOf(user, index)) }
    case 'save': {
      const { label, ...rest } = act
      const whom = otherOf(user, act.whom)
      return { ...rest, whom, ...(label === undefined ? {} : { label: label ? secret('label', {}) : '' }) }
    }
    case 'remove':
    case 'meet':
      return { ...act, whom: otherOf(user, act.whom) }
    case 'confirm': {
      const whom = otherOf(user, act.whom)
      return { type: 'confirm', whom, incarnation: incarnationOf(whom) }
    }
    case 'set':
      return { ...act, value: secret('field', { level: act.level, field: act.field }) }
    default:
      return act
  }
}
