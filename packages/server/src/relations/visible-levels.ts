import type { CommitNotes, Draft } from './draft.ts'
import { tellWithdrawn } from './events.ts'
import { changedHands, type Relation, type UserRecord } from './records.ts'
import { sameItems } from './same-items.ts'
import { levelsForLooker, type Sight, shownLevels, showsStrangers, visibleLevels } from './standing.ts'

/**
 * The core of the derived state: for (viewer, owner), which levels the viewer's devices get, and since when. A pair is compared
 * before and after a change. If the visible or shown levels differ, the commit records that for the relay.
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

/** Most people in a phone book are not users. A hundred thousand such pairs share this object. */
const nothing: Sight = { visible: [], shown: [], isWaiting: false, isFollowed: false, changedHands: '' }

function isNothing({ visible, shown, isWaiting, isFollowed, changedHands }: Sight): boolean {
  return visible.length === 0 && shown.length === 0 && !isWaiting && !isFollowed && changedHands === ''
}

/** Records the standing of a pair before the change. A change may touch a pair several times: the first record counts. */
export function noteSight(notes: CommitNotes, viewer: string, owner: string, before: Sight): void {
  const key = `${viewer}\u0000${owner}`
  if (!notes.sights.has(key)) notes.sights.set(key, { viewer, owner, before })
}

/**
 * Updates `shown` and its position when the change is done. Something that is added and removed within the change is not
 * reported [F1].
 */
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
    !sameItems(before.shown, after.shown) ||
    before.isWaiting !== after.isWaiting ||
    before.changedHands !== after.changedHands
  if (isShownChanged) draft.setRelation(viewer, owner, { shown: after.shown, changedAt: notes.position })
  // The beginning or end of a follow decides whether a replica is kept, even if the same levels are shown [V7].
  const affectsDevices =
    isShownChanged || !sameItems(before.visible, after.visible) || before.isFollowed !== after.isFollowed
  if (affectsDevices) notes.pairs.push({ viewer, owner })
  return after
}

/** The number of pairs that are processed in one slice. */
export const pairsInTurn = 100

/** A change that matters to few of a user's relations, and to users who only look at the user. */
interface Narrow {
  /** Whether the change can affect what is shown, given the relation of the two, seen from the user. */
  isConcerned(relation: Relation): boolean
  /** The user's record after the change. */
  after: UserRecord
}

/** Changes something about a user as a whole, and records the effects on all that the user shows and is shown. */
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
    const isSame = sameItems(levelsForLooker(owner, relation), levelsForLooker(narrow.after, relation))
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
