import { gives } from '@kith/shared'
import type { Relation, Side, UserRecord } from '../records.ts'
import { sameItems } from '../same-items.ts'
import { isUnaskedCandidate, shownLevels } from '../standing.ts'
import type { View } from '../views.ts'
import type { Checking, Mirror } from './checked-store.ts'
import { sameFacts } from './same-facts.ts'

const countNames = ['follows', 'waiting', 'unasked'] as const

export function checkCounts(
  record: UserRecord,
  relations: readonly (readonly [string, Relation])[],
  note: Checking['note'],
): void {
  const counts = { follows: 0, waiting: 0, unasked: 0 }
  for (const [, { mine, isWaiting, isUnasked }] of relations) {
    if (mine.isSubscribed && !isWaiting) counts.follows++
    if (isWaiting) counts.waiting++
    if (isUnasked) counts.unasked++
  }
  for (const name of countNames) {
    if (record[name] !== counts[name]) note(`${name} is ${record[name]}, not ${counts[name]}`)
  }
}

export async function checkRelations(
  checking: Checking,
  record: UserRecord,
  relations: readonly (readonly [string, Relation])[],
): Promise<void> {
  const { state, user } = checking
  const others = relations.map(([other]) => other)
  const owners = await state.users(others)
  const mirrors = await state.mirrors(user, others)
  // Only a few ids change hands.
  const isHanded = relations.some(([, { mySide }]) => mySide.unconfirmed !== '')
  const erasures = isHanded ? await state.erasures(others) : []
  for (const [index, [other, relation]] of relations.entries()) {
    checkRelation(checking, { viewer: record, owner: owners[index] as UserRecord, relation }, other)
    checkMirror(checking, other, relation, mirrors[index])
    checkUnconfirmed(checking, other, relation.mySide, erasures[index] ?? 0)
  }
}

function checkRelation({ state, note }: Checking, view: View, other: string): void {
  const { viewer, relation } = view
  const name = JSON.stringify(other)
  if (relation.isWaiting && !relation.mine.isSubscribed) note(`a follow of ${name} waits that is none`)
  if (relation.isUnasked && !isUnaskedCandidate(viewer, relation)) note(`${name} is shown unasked without a grant`)
  const shown = shownLevels(view)
  if (!sameItems(shown, relation.shown)) {
    note(`is shown levels [${relation.shown}] of ${name}, and should be shown [${shown}]`)
  }
  if (relation.changedAt > state.position) note(`the relation to ${name} is from the future`)
}

function checkMirror({ user, note, noteOf }: Checking, other: string, relation: Relation, mirror?: Mirror): void {
  if (!mirror) return
  checkSides(other, relation, mirror.relation, note)
  if (mirror.isForBoth) checkSides(user, mirror.relation, relation, what => noteOf(other, what))
}

/** Compares a relation with its other side, that of the user `other`. */
export function checkSides(other: string, relation: Relation, mirror: Relation, note: Checking['note']): void {
  if (!isSameSide(mirror.theirSide, relation.mySide)) {
    note(`${JSON.stringify(other)} has another idea of what this roster says`)
  }
  if (mirror.isPaired !== relation.isPaired) note(`${JSON.stringify(other)} and this user disagree on their pairing`)
}

/** Most sides are the same object, see `side-codec.ts`. */
function isSameSide(a: Side, b: Side): boolean {
  return a === b || (a.unconfirmed === b.unconfirmed && sameFacts(a.said, b.said))
}

/** The incarnation to confirm is stored, not derived. It must be the present one, and there must be something to confirm. */
function checkUnconfirmed(
  { incarnations, note }: Checking,
  other: string,
  { said, unconfirmed }: Side,
  erasures: number,
): void {
  if (unconfirmed === '') return
  const name = JSON.stringify(other)
  if (!gives(said)) note(`what is given to ${name} is to be confirmed, and there is nothing`)
  if (erasures === 0 || (incarnations && unconfirmed !== incarnations.tokenOf(other, erasures))) {
    note(`what is to be confirmed of ${name} is not the present incarnation`)
  }
}
