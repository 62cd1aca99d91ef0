import type { Limits } from '@kith/shared'
import type { CommitNotes, Draft } from '../draft.ts'
import { keys, ranges } from '../keys.ts'
import { decodeNumber, encodeNumber, newUser, noFacts } from '../records.ts'
import type { LastSeen } from '../store.ts'
import { reviewUnasked } from './roster.ts'
import { noteSight, sightOf, updateAllRelations } from './showing.ts'
import { dealUnasked, updateUnasked } from './unasked.ts'

/**
 * The user has an account from here on. Followers to whom V1–V3 then show something are told, unless the backend said not
 * to [F3].
 */
export async function register(draft: Draft, notes: CommitNotes, user: string): Promise<void> {
  await draft.loadUsers([user])
  if (draft.user(user).registeredAt > 0) return
  notes.isNew = true
  let followers: readonly string[] = []
  await updateAllRelations(draft, notes, user, others => {
    draft.setUser(user, { registeredAt: notes.position })
    followers = others
  })
  if (!draft.user(user).announceJoin) return
  for (const follower of followers) {
    const { isFollowed, shown } = sightOf(draft, follower, user)
    if (isFollowed && shown.length > 0) draft.setRelation(follower, user, { joinedAt: notes.position })
  }
}

/** What the backend says of a user; registers one who is new. */
export async function applyUser(
  draft: Draft,
  notes: CommitNotes,
  user: string,
  change: { restricted?: boolean | undefined; announceJoin?: boolean | undefined },
): Promise<void> {
  await draft.loadUsers([user])
  const { restricted, announceJoin } = draft.user(user)
  if (change.announceJoin !== undefined && change.announceJoin !== announceJoin) {
    draft.setUser(user, { announceJoin: change.announceJoin })
  }
  if (change.restricted !== undefined && change.restricted !== restricted) {
    const isRestricted = change.restricted
    await updateAllRelations(draft, notes, user, () => draft.setUser(user, { restricted: isRestricted }))
  }
  await register(draft, notes, user)
}

export async function applyPair(
  draft: Draft,
  notes: CommitNotes,
  { a, b, isPaired }: { a: string; b: string; isPaired: boolean },
): Promise<void> {
  await draft.loadPairs(a, [b])
  if (draft.relation(a, b).isPaired === isPaired) return
  const before = [sightOf(draft, a, b), sightOf(draft, b, a)] as const
  draft.setRelation(a, b, { isPaired })
  draft.setRelation(b, a, { isPaired })
  noteSight(notes, a, b, before[0])
  noteSight(notes, b, a, before[1])
}

/** Tokens issued before now count no more; nor do those of an earlier revocation, should the clock have gone back. */
export async function revokeTokens(draft: Draft, user: string): Promise<void> {
  const before = await draft.read(keys.tokens(user))
  draft.write(keys.tokens(user), encodeNumber(Math.max(draft.nowMs, before ? decodeNumber(before) : 0)))
}

/** Only accounts have been seen. */
export async function noteLastSeen(draft: Draft, seen: readonly LastSeen[]): Promise<void> {
  await draft.loadUsers(seen.map(({ user }) => user))
  for (const { user, minute } of seen) {
    if (draft.user(user).registeredAt > 0) draft.setUser(user, { lastSeenMinute: minute })
  }
}

/** Everything that is the user's own goes. What others' rosters say of the id is theirs, and stays. */
export async function erase(draft: Draft, notes: CommitNotes, user: string, limits: Limits): Promise<void> {
  await revokeTokens(draft, user)
  await draft.removeRange(ranges.document(user, 'roster'))
  await draft.removeRange(ranges.document(user, 'profile'))
  await draft.removeRange(ranges.levels(user))
  await draft.removeRange(ranges.asked(user))
  const reviews: string[] = []
  await updateAllRelations(draft, notes, user, others => {
    const { relationsChangedAt } = draft.user(user)
    for (const other of others) {
      draft.setRelation(user, other, { mine: noFacts, isPaired: false, isWaiting: false, isUnasked: false })
      draft.setRelation(other, user, { theirs: noFacts, isPaired: false, joinedAt: 0 })
    }
    const hidden = { hidesPresence: undefined, messageAudience: undefined }
    const forgotten = { ...hidden, lookups: undefined, lastSeenMinute: undefined }
    draft.setUser(user, { ...newUser(), ...forgotten, relationsChangedAt })
    // Others still grant this id levels: whoever registers it anew is shown them [F4].
    dealUnasked(draft, user, others, limits)
    for (const other of others) if (updateUnasked(draft, other, user, limits) === 'review') reviews.push(other)
  })
  for (const viewer of reviews) await reviewUnasked(draft, notes, viewer, limits)
}
