import type { CommitNotes, Draft } from '../draft.ts'
import { changedHands } from '../records.ts'
import { type Sight, shownLevels, showsStrangers, visibleLevels } from '../standing.ts'

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
    changedHands: changedHands(relation.mySide),
  }
}

/** How a pair stood before the change, which may touch it more than once: the first look counts. */
export function noteSight(notes: CommitNotes, viewer: string, owner: string, before: Sight): void {
  const ofViewer = notes.sights.get(viewer) ?? new Map<string, Sight>()
  notes.sights.set(viewer, ofViewer)
  if (!ofViewer.has(owner)) ofViewer.set(owner, before)
}

/** Brings `shown` and its position up to date when the change is done: what comes and goes within it is no news [F1]. */
export function updateShown(draft: Draft, notes: CommitNotes): void {
  for (const [viewer, ofViewer] of notes.sights) {
    for (const [owner, before] of ofViewer) updatePair(draft, notes, viewer, owner, before)
  }
  notes.sights.clear()
}

function updatePair(draft: Draft, notes: CommitNotes, viewer: string, owner: string, before: Sight): void {
  const after = sightOf(draft, viewer, owner)
  const isOtherwise =
    !sameLevels(before.shown, after.shown) ||
    before.isWaiting !== after.isWaiting ||
    before.changedHands !== after.changedHands
  if (isOtherwise) {
    draft.setRelation(viewer, owner, { shown: after.shown, changedAt: notes.position })
    draft.setUser(viewer, { relationsChangedAt: notes.position })
  }
  // A follow that begins or ends changes what becomes of a replica, even while the same is shown [V7].
  const isFelt = isOtherwise || !sameLevels(before.visible, after.visible) || before.isFollowed !== after.isFollowed
  if (isFelt) notes.pairs.push({ viewer, owner })
}

/** Changes something about a user as a whole, and notes all that it shows and is shown. */
export async function updateAllRelations(
  draft: Draft,
  notes: CommitNotes,
  user: string,
  change: (others: readonly string[]) => void | Promise<void>,
): Promise<void> {
  const others = await draft.loadRelationsOf(user)
  const before = others.map(other => [sightOf(draft, other, user), sightOf(draft, user, other)] as const)
  const showedStrangers = showsStrangers(draft.user(user))
  await change(others)
  others.forEach((other, index) => {
    const [asOwner, asViewer] = before[index] as readonly [Sight, Sight]
    noteSight(notes, other, user, asOwner)
    noteSight(notes, user, other, asViewer)
  })
  notes.standings.push(user)
  if (showsStrangers(draft.user(user)) !== showedStrangers) {
    notes.strangers.push({ owner: user, related: new Set(others) })
  }
}

export function sameLevels(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((level, index) => level === b[index])
}
