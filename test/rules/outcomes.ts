import { type ContactFacts, factsOf } from '@kith/shared'
import { contentOf, meet, type Replica, receive, replica } from '../support/replicas.ts'
import type { Operation, Pair, Start } from './operations.ts'

const contact = 'bob'

/**
 * Where Yjs has to choose, the result depends on client ids: of the device that made the start, and of the two that separate.
 */
const meetings: readonly { maker: number; one: number; other: number }[] = [
  { maker: 1, one: 2, other: 3 },
  { maker: 1, one: 3, other: 2 },
  { maker: 2, one: 1, other: 3 },
  { maker: 2, one: 3, other: 1 },
  { maker: 3, one: 1, other: 2 },
  { maker: 3, one: 2, other: 1 },
  { maker: 1, one: 1, other: 2 },
  { maker: 2, one: 2, other: 1 },
  { maker: 1, one: 2, other: 1 },
  { maker: 2, one: 1, other: 2 },
]

/** The result on both devices after they have met: one outcome, or all possible ones, for any ids of the devices. */
export function outcomes(start: Start, pair: Pair): string[] {
  const found = meetings.map(ids => outcomeText(factsOf(merged(start, pair, ids).maps, contact)))
  return [...new Set(found)].sort()
}

/** As in `contact: 1, 2; followed`. */
export function outcomeText(facts: ContactFacts): string {
  const { levels } = facts
  const said = [
    levels.length > 0 ? `contact: ${levels.join(', ')}` : facts.isContact && 'contact',
    facts.isSubscribed && 'followed',
    facts.isDeclined && 'declined',
    facts.isBlocked && 'blocked',
  ].filter(one => one !== false)
  return said.length > 0 ? said.join('; ') : '–'
}

function merged(start: Start, pair: Pair, ids: (typeof meetings)[number]): Replica {
  const byId = new Map([ids.maker, ids.one, ids.other].map(id => [id, replica(id)]))
  const [maker, one, other] = [ids.maker, ids.one, ids.other].map(id => byId.get(id) as Replica) as [
    Replica,
    Replica,
    Replica,
  ]
  edit(maker, start.made, 's')
  for (const each of [one, other]) if (each !== maker) meet(maker, each)
  const [before, beforeOther] = [one.updates.length, other.updates.length]
  edit(one, pair.one, 'a')
  edit(other, pair.other, 'b')
  const made = [one.updates.slice(before), other.updates.slice(beforeOther)] as const
  meet(one, other)
  // A third device receives the same updates in another order, and twice [R1].
  const late = replica(4)
  meet(late, maker === one || maker === other ? one : maker)
  for (const update of [...made[1], ...made[0], ...made[1]]) receive(late, update)
  for (const each of [other, late]) expectEqual(one, each)
  return one
}

function edit(device: Replica, made: readonly Operation[], mark: string): void {
  let nonces = 0
  const newNonce = (): string => `nonce-${mark}-${nonces++}`
  for (const operation of made) device.edit(operation.plan(device.maps, contact, newNonce))
}

const roots = ['contacts', 'grants', 'subscriptions', 'declined', 'blocks', 'labels']

function expectEqual(one: Replica, other: Replica): void {
  const [a, b] = [one, other].map(each => JSON.stringify(contentOf(each, roots)))
  if (a !== b) throw new Error(`[R1] devices that met differ: ${a} and ${b}`)
}
