import type { CommitNotes, Draft } from './draft.ts'
import { tellWithdrawn } from './events.ts'
import { changedHands, type Relation, type UserRecord } from './records.ts'
import { levelsForLooker, type Sight, shownLevels, showsStrangers, visibleLevels } from './standing.ts'

/**
 * The heart of the derived state: for (viewer, owner), which levels the viewer's devices get, and since when. A pair is
 * looked at before and after a change; where what is visible or shown differs, the commit notes it for the relay.
 */
export function sightOf(draft: Draft, viewer: string, owner: string): Sight {
  const relation = draft.relation(viewer, owner)
  const view = { viewer: draft.user(viewer), owner: draft.user(owner), relation }
  const sight = {
    visible: visibleLevels(view),
    shown: shownLevels(view),
    isWaiting: relation.isWaiting,
    isFollowed: relation.mine.isSubscribed,
    changedHands: changedHands(relation.mySide),
  }
  return isNothing(sight) ? nothing : sight
}

/** Most of those whom a phone book names are no users: a hundred thousand such looks are one object. */
const nothing: Sight = { visible: [], shown: [], isWaiting: false, isFollowed: false, changedHands: '' }

function isNothing({ visible, shown, isWaiting, isFollowed, changedHands }: Sight): boolean {
  return visible.length === 0 && shown.length === 0 && !isWaiting && !isFollowed && changedHands === ''
}

/** How a pair stood before the change, which may touch it more than once: the first look counts. */
export function noteSight(notes: CommitNotes, viewer: string, owner: string, before: Sight): void {
  const key = `${viewer}\u0000${owner}`
  if (!notes.sights.has(key)) notes.sights.set(key, { viewer, owner, before })
}

/** Brings `shown` and its position up to date when the change is done: what comes and goes within it is no news [F1]. */
export async function updateShown(
  draft: Draft,
  notes: CommitNotes,
  { tellsWithdrawals }: { tellsWithdrawals: boolean },
): Promise<void> {
  const turns = draft.turns(pairsInTurn)
  for (const { viewer, owner, before } of notes.sights.values()) {
    const { visible } = updatePair(draft, notes, viewer, owner, before)
    if (tellsWithdrawals) tellWithdrawn(draft, notes, { viewer, owner, before: before.visible, after: visible })
    if (turns.isOver()) await turns.pass()
  }
  notes.sights.clear()
}

function updatePair(draft: Draft, notes: CommitNotes, viewer: string, owner: string, before: Sight): Sight {
  const after = sightOf(draft, viewer, owner)
  const isShownChanged =
    !sameLevels(before.shown, after.shown) ||
    before.isWaiting !== after.isWaiting ||
    before.changedHands !== after.changedHands
  if (isShownChanged) draft.setRelation(viewer, owner, { shown: after.shown, changedAt: notes.position })
  // A follow that begins or ends changes what becomes of a replica, even while the same is shown [V7].
  const affectsDevices =
    isShownChanged || !sameLevels(before.visible, after.visible) || before.isFollowed !== after.isFollowed
  if (affectsDevices) notes.pairs.push({ viewer, owner })
  return after
}

/** As many pairs as are looked at without a pause. */
export const pairsInTurn = 100

/** A change that matters to few of a user's relations, and to those who at most look at the user. */
interface Narrow {
  /** Whether it can matter to what is shown, by what the two are to each other, seen from the user. */
  isConcerned(relation: Relation): boolean
  /** The user's record after it. */
  after: UserRecord
}

/** Changes something about a user as a whole, and notes all that it shows and is shown. */
export async function updateAllRelations(
  draft: Draft,
  notes: CommitNotes,
  user: string,
  change: (others: readonly string[]) => void | Promise<void>,
  narrow?: Narrow,
): Promise<void> {
  await draft.loadUsers([user])
  const owner = draft.user(user)
  const otherwise = new Set<string>()
  const excepted = new Set<string>()
  const others = await draft.loadRelationsOf(user, (relation, other) => {
    if (!narrow || narrow.isConcerned(relation)) return true
    const isSame = sameLevels(levelsForLooker(owner, relation), levelsForLooker(narrow.after, relation))
    if (isSame) excepted.add(other)
    else otherwise.add(other)
    return false
  })
  const turns = draft.turns(pairsInTurn)
  for (const other of others) {
    noteSight(notes, other, user, sightOf(draft, other, user))
    noteSight(notes, user, other, sightOf(draft, user, other))
    excepted.add(other)
    if (turns.isOver()) await turns.pass()
  }
  await change(others)
  notes.standings.push(user)
  if (showsStrangers(draft.user(user)) !== showsStrangers(owner)) {
    notes.strangers.push({ owner: user, viewers: excepted, areExcepted: true })
  } else if (otherwise.size > 0) notes.strangers.push({ owner: user, viewers: otherwise, areExcepted: false })
}

export function sameLevels(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((level, index) => level === b[index])
}
