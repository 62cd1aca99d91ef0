import { gives, type Limits } from '@kith/shared'
import type { LastSeen } from './changes.ts'
import type { CommitNotes, Draft } from './draft.ts'
import { tellErased, tellRegistered } from './events.ts'
import { canPromote, endFollow } from './follow-budget.ts'
import { wasAnnounced } from './lapsed.ts'
import { hasAccount, newUser, noFacts } from './records.ts'
import { promote, reviewUnasked, setSide } from './roster.ts'
import { updateUnasked } from './unrequested.ts'
import { noteSight, pairsInTurn, sightOf, updateAllRelations } from './visible-levels.ts'

/**
 * Registers the user. Followers who then see something by [V1], [V2] and [V3] get `joined`, unless the backend disabled
 * that [F3].
 */
export async function register(draft: Draft, notes: CommitNotes, user: string): Promise<void> {
  await draft.loadUsers([user])
  if (draft.user(user).registeredAt > 0) return
  notes.isNew = true
  let followers: readonly string[] = []
  await updateAllRelations(draft, notes, user, others => {
    draft.setUser(user, { registeredAt: notes.position, isWithheld: undefined })
    followers = others
  })
  if (!draft.user(user).announceJoin) return
  const turns = draft.turns(pairsInTurn)
  for (const follower of followers) {
    if (turns.isOver()) await turns.pass()
    const { isFollowed, shown } = sightOf(draft, follower, user)
    if (!isFollowed || shown.length === 0 || wasAnnounced(draft.relation(follower, user), draft.nowMs)) continue
    draft.setRelation(follower, user, { joinedAt: notes.position, joinedAtMs: draft.nowMs })
  }
}

/**
 * Writes the event of the registration if the user is new. It comes before all other events of the change that registers the
 * user.
 */
export function tellIfNew(draft: Draft, notes: CommitNotes, user: string): void {
  if (draft.user(user).registeredAt === 0) tellRegistered(draft, notes, user)
}

/** Applies what the backend sets for a user. Registers a new user. */
export async function applyUser(
  draft: Draft,
  notes: CommitNotes,
  user: string,
  change: { restricted?: boolean | undefined; announceJoin?: boolean | undefined },
): Promise<void> {
  await draft.loadUsers([user])
  tellIfNew(draft, notes, user)
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

/** Tokens issued before now are no longer valid. */
export function revokeTokens(draft: Draft, user: string): void {
  draft.own.writeRevocation(user)
}

/**
 * Records last-seen times. Ids that are not registered, or that have another holder by now, are ignored. A time does not go
 * back, unless the stored one is in the future: then the clock that wrote it was wrong.
 */
export async function noteLastSeen(draft: Draft, seen: readonly LastSeen[]): Promise<void> {
  await draft.loadUsers(seen.map(({ user }) => user))
  const nowMinute = Math.floor(draft.nowMs / 60_000)
  for (const { user, minute, registeredAt } of seen) {
    const record = draft.user(user)
    if (record.registeredAt === 0 || record.registeredAt !== (registeredAt ?? record.registeredAt)) continue
    const before = record.lastSeenMinute ?? 0
    if (minute > before || before > nowMinute) draft.setUser(user, { lastSeenMinute: minute })
  }
}

/**
 * Erases the account unless it is another one than the change names: two erasures at the same time erase one account, and not
 * the next holder's.
 */
export async function eraseIfSame(
  draft: Draft,
  notes: CommitNotes,
  { user, registeredAt }: { user: string; registeredAt?: number | undefined },
  limits: Limits,
): Promise<void> {
  await draft.loadUsers([user])
  const record = draft.user(user)
  const isSame = registeredAt === undefined || (hasAccount(record) && record.registeredAt === registeredAt)
  if (isSame) return erase(draft, notes, user, limits)
  notes.isMissed = true
}

/**
 * Ends the account's incarnation [D7]. Everything that belongs to the user is removed. The backend's settings for the id and
 * the spent part of its discovery budget stay, so erasing lifts no restriction. Entries for the id in others' rosters stay
 * theirs, but give nothing to the next holder until they confirm it.
 */
async function erase(draft: Draft, notes: CommitNotes, user: string, limits: Limits): Promise<void> {
  revokeTokens(draft, user)
  draft.own.removeEvents(user)
  draft.own.removeDocument(user, 'roster')
  draft.own.removeDocument(user, 'profile')
  draft.own.removeLevels(user)
  draft.own.removeAsked(user)
  const erasures = (await draft.own.erasures(user)) + 1
  draft.own.writeErasures(user, erasures)
  const incarnation = draft.incarnations.tokenOf(user, erasures)
  if (hasAccount(draft.user(user))) tellErased(draft, notes, user)
  const reviews: string[] = []
  const freed: string[] = []
  const turns = draft.turns(pairsInTurn)
  await updateAllRelations(draft, notes, user, async others => {
    for (const other of others) {
      if (turns.isOver()) await turns.pass()
      setSide(draft, user, other, { said: noFacts, unconfirmed: '' })
      draft.setRelation(user, other, { isPaired: false, isWaiting: false, isUnasked: false, joinedAt: 0 })
      draft.setRelation(other, user, { isPaired: false, joinedAt: 0 })
      if (mustConfirm(draft, other, user, incarnation)) freed.push(other)
    }
    const { restricted, announceJoin, lookups } = draft.user(user)
    const hidden = { isWithheld: undefined, hidesPresence: undefined, messageAudience: undefined }
    const forgotten = { ...hidden, lookups, lastSeenMinute: undefined }
    draft.setUser(user, { ...newUser(), ...forgotten, restricted, announceJoin })
    for (const other of others) {
      if (turns.isOver()) await turns.pass()
      if (updateUnasked(draft, other, user, limits) === 'review') reviews.push(other)
    }
  })
  for (const viewer of reviews) await reviewUnasked(draft, notes, viewer, limits)
  for (const viewer of freed) {
    if (!canPromote(draft, viewer, limits)) continue
    notes.subjects = [...notes.subjects, viewer]
    await promote(draft, notes, viewer, limits)
  }
}

/** What `other` gave to the user no longer counts, until `other` confirms this incarnation. Returns whether a follow ended. */
function mustConfirm(draft: Draft, other: string, user: string, incarnation: string): boolean {
  const { mySide, mine } = draft.relation(other, user)
  if (!gives(mySide.said)) return false
  setSide(draft, other, user, { said: mySide.said, unconfirmed: incarnation })
  const hasEnded = mine.isSubscribed && !draft.relation(other, user).mine.isSubscribed
  if (hasEnded) endFollow(draft, other, user)
  return hasEnded
}
