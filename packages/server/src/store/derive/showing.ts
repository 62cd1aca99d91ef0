import { Turns } from '../../turns.ts'
import type { CommitNotes, Draft } from '../draft.ts'
import type { Relation } from '../records.ts'
import { type Sight, shownLevels, visibleLevels } from '../standing.ts'

/**
 * The heart of the derived state: for (viewer, owner), which levels the viewer's devices get, and since when. A pair is
 * looked at before and after a change; where what is visible or shown differs, the relay is told.
 */
export function sightOf(draft: Draft, viewer: string, owner: string): Sight {
  const relation = draft.relation(viewer, owner)
  const view = { viewer: draft.user(viewer), owner: draft.user(owner), relation }
  return {
    visible: visibleLevels(view),
    shown: shownLevels(view),
    isWaiting: relation.isWaiting,
    isFollowed: relation.mine.isSubscribed,
  }
}

/** How a pair stood before the change, which may touch it more than once: the first look counts. */
export function noteSight(notes: CommitNotes, viewer: string, owner: string, before: Sight): void {
  const key = `${viewer}\u0000${owner}`
  if (!notes.sights.has(key)) notes.sights.set(key, { viewer, owner, before })
}

/** Brings `shown` and its position up to date when the change is done: what comes and goes within it is no news [F1]. */
export async function updateShown(draft: Draft, notes: CommitNotes): Promise<void> {
  const turns = new Turns(pairsInTurn)
  for (const { viewer, owner, before } of notes.sights.values()) {
    updatePair(draft, notes, viewer, owner, before)
    if (turns.isOver()) await turns.pass()
  }
  notes.sights.clear()
}

function updatePair(draft: Draft, notes: CommitNotes, viewer: string, owner: string, before: Sight): void {
  const after = sightOf(draft, viewer, owner)
  const isOtherwise = !sameLevels(before.shown, after.shown) || before.isWaiting !== after.isWaiting
  if (isOtherwise) {
    draft.setRelation(viewer, owner, { shown: after.shown, changedAt: notes.position })
    draft.setUser(viewer, { relationsChangedAt: notes.position })
  }
  // A follow that begins or ends changes what becomes of a replica, even while the same is shown [V7].
  const isFelt = isOtherwise || !sameLevels(before.visible, after.visible) || before.isFollowed !== after.isFollowed
  if (isFelt) notes.pairs.push({ viewer, owner })
}

/** As many pairs as are looked at without a pause. */
export const pairsInTurn = 500

/**
 * Changes something about a user as a whole, and notes all that it shows and is shown. `isConcerned` tells by what the two
 * are to each other, seen from the user, where the change can matter to what is shown.
 */
export async function updateAllRelations(
  draft: Draft,
  notes: CommitNotes,
  user: string,
  change: (others: readonly string[]) => void | Promise<void>,
  isConcerned?: (relation: Relation) => boolean,
): Promise<void> {
  const others = await draft.loadRelationsOf(user, isConcerned)
  const turns = new Turns(pairsInTurn)
  const before: (readonly [Sight, Sight])[] = []
  for (const other of others) {
    before.push([sightOf(draft, other, user), sightOf(draft, user, other)])
    if (turns.isOver()) await turns.pass()
  }
  await change(others)
  for (const [index, other] of others.entries()) {
    const [asOwner, asViewer] = before[index] as readonly [Sight, Sight]
    noteSight(notes, other, user, asOwner)
    noteSight(notes, user, other, asViewer)
    if (turns.isOver()) await turns.pass()
  }
  notes.owners.push(user)
}

export function sameLevels(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((level, index) => level === b[index])
}
