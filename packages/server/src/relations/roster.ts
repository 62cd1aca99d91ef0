import { type ContactFacts, gives, type Limits, narrowerAudience, type RosterSettings } from '@kith/shared'
import type { Facts } from './changes.ts'
import type { CommitNotes, Draft } from './draft.ts'
import { tellGranted } from './events.ts'
import { askedBefore, beginFollow, canPromote, endFollow, spendLookup } from './follow-budget.ts'
import { mySide, type Relation, type Side, theirSide } from './records.ts'
import { sortedInTurns } from './sorted-in-turns.ts'
import { dealUnasked, mayBeUnasked, updateUnasked } from './unrequested.ts'
import { noteSight, pairsInTurn, sightOf, updateAllRelations } from './visible-levels.ts'

/** The number of pairs that are loaded and derived in one slice. Other work gets its turn between slices. */
const chunkSize = 125

/** Applies what a roster now says about other users. Only the pairs that it names are touched. */
export async function applyFacts(
  draft: Draft,
  notes: CommitNotes,
  user: string,
  facts: Facts,
  limits: Limits,
): Promise<void> {
  const reviews = new Set<string>()
  for (const chunk of chunksOf(facts)) {
    chunk.delete(user)
    const others = [...chunk.keys()]
    await draft.loadPairs(user, others)
    const asked = await askedBefore(draft, user, others)
    for (const [other, stated] of chunk) {
      const asViewer = sightOf(draft, user, other)
      const asOwner = sightOf(draft, other, user)
      const { isContact: wasContact, levels: before } = draft.relation(user, other).mine
      takeOver(draft, user, other, stated, asked.has(other), limits)
      if (updateUnasked(draft, user, other, limits) === 'review') reviews.add(user)
      if (updateUnasked(draft, other, user, limits) === 'review') reviews.add(other)
      const { mine, isUnasked } = draft.relation(user, other)
      // Whatever the audience is: each node checks messages by what it has applied, and by a policy of its own.
      const mayHaveWritten = wasContact || before.length > 0
      if (mayHaveWritten && !mine.isContact && mine.levels.length === 0) notes.narrowsMessages = true
      tellGranted(draft, notes, { owner: user, viewer: other, before, after: mine.levels })
      const mayLosePlace = wasContact && !mine.isContact && isUnasked
      if (mayLosePlace && draft.user(user).unasked >= limits.unaskedOwners) reviews.add(user)
      noteSight(notes, user, other, asViewer)
      noteSight(notes, other, user, asOwner)
    }
  }
  for (const viewer of reviews) await reviewUnasked(draft, notes, viewer, limits)
  if (canPromote(draft, user, limits)) await promote(draft, notes, user, limits)
}

/** Writes what a user says about another, under both users. */
export function setSide(draft: Draft, user: string, other: string, side: Side): void {
  draft.setRelation(user, other, mySide(side))
  draft.setRelation(other, user, theirSide(side))
}

function* chunksOf(facts: Facts): Iterable<Map<string, ContactFacts>> {
  let chunk = new Map<string, ContactFacts>()
  for (const [other, stated] of facts) {
    chunk.set(other, stated)
    if (chunk.size < chunkSize) continue
    yield chunk
    chunk = new Map()
  }
  if (chunk.size > 0) yield chunk
}

function takeOver(
  draft: Draft,
  user: string,
  other: string,
  facts: ContactFacts,
  hasAsked: boolean,
  limits: Limits,
): void {
  const wasSubscribed = draft.relation(user, other).mine.isSubscribed
  const { unconfirmed } = draft.relation(user, other).mySide
  // If everything was taken back, a new grant or follow is given to the present holder [D7].
  setSide(draft, user, other, { said: facts, unconfirmed: gives(facts) ? unconfirmed : '' })
  const { isSubscribed } = draft.relation(user, other).mine
  if (isSubscribed && !wasSubscribed) beginFollow(draft, user, other, hasAsked, limits)
  if (!isSubscribed && wasSubscribed) endFollow(draft, user, other)
}

/** Applies what a roster says about its owner. */
export async function applySettings(
  draft: Draft,
  notes: CommitNotes,
  user: string,
  settings: RosterSettings,
  limits: Limits,
): Promise<void> {
  await draft.loadUsers([user])
  const { audience, autoSync, hidesPresence = false, messageAudience = 'everyone' } = draft.user(user)
  if (hidesPresence !== settings.hidesPresence) {
    draft.setUser(user, { hidesPresence: settings.hidesPresence || undefined })
    notes.hidings.push(user)
  }
  if (messageAudience !== settings.messageAudience) {
    // This does not change what anyone sees, so the relay need not check again. Each node checks messages by what it has applied.
    if (narrowerAudience(messageAudience, settings.messageAudience) !== messageAudience) notes.narrowsMessages = true
    draft.setUser(user, {
      messageAudience: settings.messageAudience === 'everyone' ? undefined : settings.messageAudience,
    })
  }
  if (audience === settings.audience && autoSync === settings.autoSync) return
  // All other users only look at the profile. They are covered by the owner's change as a whole. A grant shows level 0 whatever
  // the audience.
  const isConcerned = (relation: Relation): boolean =>
    relation.theirs.isSubscribed || relation.isPaired || mayBeUnasked(relation)
  const after = { ...draft.user(user), audience: settings.audience, autoSync: settings.autoSync }
  await updateAllRelations(
    draft,
    notes,
    user,
    async others => {
      draft.setUser(user, { audience: settings.audience, autoSync: settings.autoSync })
      if (autoSync !== settings.autoSync) await dealUnasked(draft, user, others, limits)
    },
    { isConcerned, after },
  )
}

/** Assigns the places of unrequested owners again, for a viewer at the limit. */
export async function reviewUnasked(draft: Draft, notes: CommitNotes, viewer: string, limits: Limits): Promise<void> {
  notes.subjects = [...notes.subjects, viewer]
  const owners = await draft.loadRelationsOf(viewer, mayBeUnasked)
  const turns = draft.turns(pairsInTurn)
  for (const owner of owners) {
    noteSight(notes, viewer, owner, sightOf(draft, viewer, owner))
    if (turns.isOver()) await turns.pass()
  }
  await dealUnasked(draft, viewer, owners, limits)
}

/** Serves waiting follows, by id, as far as the limits now allow. */
export async function promote(draft: Draft, notes: CommitNotes, viewer: string, limits: Limits): Promise<void> {
  if (!canPromote(draft, viewer, limits)) return
  const owners = await draft.loadRelationsOf(viewer, ({ isWaiting }) => isWaiting)
  const asked = await askedBefore(draft, viewer, owners)
  const turns = draft.turns(pairsInTurn)
  for (const owner of await sortedInTurns(owners, turns)) {
    if (turns.isOver()) await turns.pass()
    const { follows, waiting } = draft.user(viewer)
    if (follows >= limits.follows) return
    if (!spendLookup(draft, viewer, owner, asked.has(owner), limits)) continue
    const before = sightOf(draft, viewer, owner)
    draft.setUser(viewer, { follows: follows + 1, waiting: waiting - 1 })
    draft.setRelation(viewer, owner, { isWaiting: false })
    noteSight(notes, viewer, owner, before)
  }
}
