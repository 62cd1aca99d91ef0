import fc from 'fast-check'
import type { Act, History, Step } from './steps.ts'

/** Alice's phone and laptop, Bob's phone and laptop, by their place in the cast. */
const alices = fc.constantFrom(0, 1)
const bobs = fc.constantFrom(2, 3)
const node = fc.nat(2)
const whom = 0

function acts(device: fc.Arbitrary<number>, act: fc.Arbitrary<Act>): fc.Arbitrary<Step[]> {
  return fc.record({ do: fc.constant('act' as const), device, act }).map(step => [step])
}

/** Bob's devices unfollow and follow Alice, or the reverse. Other nodes see both changes together. */
const followsTwice: fc.Arbitrary<Step[]> = fc
  .tuple(bobs, bobs, fc.boolean(), fc.array(fc.nat(8), { maxLength: 2 }))
  .map(([first, second, follows, picks]) => [
    { do: 'act', device: first, act: { type: 'save', whom, follows } },
    ...(picks.length > 0 ? [{ do: 'next' as const, picks }] : []),
    { do: 'act', device: second, act: { type: 'save', whom, follows: !follows } },
  ])

/** Steps that change what Alice shows: a field of a level, which levels Bob gets, who gets level 0, a block. */
const showing = acts(
  alices,
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant('set' as const),
        level: fc.constantFrom(0, 1, 2),
        field: fc.constantFrom('name', 'mood'),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        type: fc.constant('save' as const),
        whom: fc.constant(whom),
        levels: fc.constantFrom([], [1], [2], [1, 2]),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant('audience' as const),
        audience: fc.constantFrom('everyone' as const, 'contacts' as const, 'nobody' as const),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant('save' as const), whom: fc.constant(whom), blocks: fc.boolean() }),
    },
  ),
)

/** Bob's requests. */
const asking = acts(
  bobs,
  fc.oneof(
    fc.record({ type: fc.constant('save' as const), whom: fc.constant(whom), follows: fc.boolean() }),
    fc.record({ type: fc.constantFrom('meet' as const, 'remove' as const), whom: fc.constant(whom) }),
    fc.record({ type: fc.constant('autoSync' as const), isOn: fc.boolean() }),
  ),
)

/** Interruptions: an account, tokens or a connection end, or Bob's device comes back, possibly on another node. */
const ending: fc.Arbitrary<Step[]> = fc
  .oneof(
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('erase' as const, 'revoke' as const), user: fc.nat(1) }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('cut' as const), pick: fc.nat(3), told: fc.constant('both' as const) }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('move' as const), device: bobs, node }) },
  )
  .chain(step => bobs.map((device): Step[] => [step, { do: 'connect', device }]))

/**
 * From time to time a node's connection to the database is slow. Some of its reads then arrive late, and are ahead of what it
 * was notified of.
 */
const slow: fc.Arbitrary<Step[]> = fc
  .record({ do: fc.constant('slowNode' as const), node, isSlow: fc.constantFrom(true, true, true, false) })
  .map(step => [step])

const next: fc.Arbitrary<Step[]> = fc
  .array(fc.nat(12), { minLength: 1, maxLength: 4 })
  .map(picks => [{ do: 'next', picks }])

const burst: fc.Arbitrary<Step[]> = fc.oneof(
  { weight: 4, arbitrary: showing },
  { weight: 3, arbitrary: followsTwice },
  { weight: 2, arbitrary: asking },
  { weight: 2, arbitrary: ending },
  { weight: 2, arbitrary: slow },
  { weight: 7, arbitrary: next },
  { weight: 1, arbitrary: fc.constant<Step[]>([{ do: 'flow' }]) },
)

/**
 * Two users who know each other, on several nodes. The viewer follows while the owner edits and grants. A node's reads are
 * therefore often ahead of what it was notified of, while follows, levels, accounts and connections change.
 */
export function aheadHistories(nodes: number): fc.Arbitrary<History> {
  const begin: Step[] = [
    ...[0, 1, 2, 3].flatMap((device): Step[] => [
      { do: 'move', device, node: device < 2 ? device : 1 - (device % 2) },
      { do: 'connect', device },
    ]),
    { do: 'flow' },
  ]
  return fc.record({
    seed: fc.nat(2 ** 31),
    cast: fc.constant([0, 1, 2, 3]),
    isAcquainted: fc.constant(true),
    outstandingBytes: fc.constantFrom(64 * 1024, 64 * 1024, 120),
    hasTabs: fc.constant(false),
    nodes: fc.constant(nodes),
    steps: fc
      .tuple(node, fc.boolean(), fc.array(burst, { minLength: 6, maxLength: 28 }))
      .map(([slowNode, hasSlowNetwork, bursts]): Step[] => [
        ...begin,
        { do: 'slowNetwork', isSlow: hasSlowNetwork },
        { do: 'slowNode', node: slowNode, isSlow: true },
        ...bursts.flat(),
      ]),
  })
}
