import fc from 'fast-check'
import { device, type History, historiesOf, type NodeStep, ordinary, type Step } from './steps.ts'

const node = fc.nat(2)

/** Steps that affect servers and their connections to the database, while all of them run. */
const links: fc.Arbitrary<NodeStep> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('move' as const), device, node }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('slowNode' as const), node, isSlow: fc.constantFrom(true, true, false) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('failBatch' as const),
      node,
      fault: fc.constantFrom(
        'never sent' as const,
        'written' as const,
        'written later' as const,
        'unconfirmed' as const,
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('freezeNode' as const, 'thawNode' as const), node }) },
  { weight: 1, arbitrary: fc.constant({ do: 'trimLog' as const }) },
)

const ends: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('killNode' as const), node, losesFrames: fc.boolean() }),
  fc.record({ do: fc.constantFrom('stopNode' as const, 'startNode' as const), node }),
  fc.record({ do: fc.constant('failOver' as const), isLossy: fc.boolean() }),
  fc.record({ do: fc.constantFrom('backUpServer' as const, 'restoreServer' as const, 'loseServerStore' as const) }),
)

/** Steps that affect devices and their connections. */
const devices: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('cut' as const),
    pick: fc.nat(10),
    told: fc.constantFrom('both' as const, 'device' as const, 'server' as const),
  }),
  fc.record({ do: fc.constant('partition' as const), device, isCut: fc.boolean() }),
  fc.record({ do: fc.constant('slowNetwork' as const), isSlow: fc.boolean() }),
  fc.record({ do: fc.constant('kill' as const), device, afterTurns: fc.nat(40) }),
  fc.record({ do: fc.constantFrom('lose' as const, 'backUp' as const, 'restore' as const), device }),
)

/** Steps without watching presence: each server knows only which of its own devices are online. */
const unwatched = ordinary.filter(step => step.do !== 'watch' && step.do !== 'unwatch')

/** The same devices and steps, on this many servers with one database. */
export function clusterHistories(nodes: number): fc.Arbitrary<History> {
  const faults = fc.oneof(
    { weight: 5, arbitrary: links },
    { weight: 2, arbitrary: ends },
    { weight: 2, arbitrary: devices },
  )
  return historiesOf({ ordinary: unwatched, faults, hasRefusals: true }).map(history => ({ ...history, nodes }))
}
