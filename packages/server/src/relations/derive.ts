import type { Limits } from '@kith/shared'
import { encodeFields } from '@kith/shared/wire'
import { applyPair, applyUser, eraseIfSame, noteLastSeen, register, revokeTokens, tellIfNew } from './account.ts'
import type { Change, DocumentsChange, DocumentUpdate } from './changes.ts'
import type { CommitNotes, Draft } from './draft.ts'
import { settleEvents, tellUndelivered } from './events.ts'
import { askedBefore, lookupDelayMs, spendLookup } from './follow-budget.ts'
import { editOf } from './level-edit.ts'
import type { DocumentName } from './records.ts'
import { applyFacts, applySettings, promote } from './roster.ts'
import { updateShown } from './visible-levels.ts'

/** Applies one change, and everything that follows from it, to the draft [D4]. */
export async function derive(draft: Draft, notes: CommitNotes, change: Change, limits: Limits): Promise<void> {
  await apply(draft, notes, change, limits)
  // For an erased account, the only event is the erasure.
  await updateShown(draft, notes, { tellsWithdrawals: change.type !== 'erase' })
}

async function apply(draft: Draft, notes: CommitNotes, change: Change, limits: Limits): Promise<void> {
  switch (change.type) {
    case 'documents':
      return applyDocuments(draft, notes, change, limits)
    case 'user':
      return applyUser(draft, notes, change.user, change)
    case 'pair':
      return applyPair(draft, notes, change)
    case 'revoke':
      return revokeTokens(draft, change.user)
    case 'erase':
      return eraseIfSame(draft, notes, change, limits)
    case 'lookup': {
      await draft.loadUsers([change.user])
      const asked = await askedBefore(draft, change.user, [change.owner])
      if (!spendLookup(draft, change.user, change.owner, asked.has(change.owner), limits)) {
        notes.retryAfterMs = lookupDelayMs(draft.user(change.user), draft.nowMs, 1, limits)
      }
      return
    }
    case 'promote':
      await draft.loadUsers([change.user])
      return promote(draft, notes, change.user, limits)
    case 'seen':
      return noteLastSeen(draft, change.users)
    case 'undelivered':
      return tellUndelivered(draft, notes, change)
    case 'events':
      return settleEvents(draft, notes, change)
  }
}

const noFields = encodeFields({})

/** Roster before profile, so a revocation is handled before the edit that was made after it [V6]. */
async function applyDocuments(
  draft: Draft,
  notes: CommitNotes,
  { user, registers, roster, profile }: DocumentsChange,
  limits: Limits,
): Promise<void> {
  await draft.loadUsers([user])
  if (registers) tellIfNew(draft, notes, user)
  if (roster) {
    await applySettings(draft, notes, user, roster.settings, limits)
    await applyFacts(draft, notes, user, roster.facts, limits)
    writeDocument(draft, notes, user, 'roster', roster)
  }
  if (profile) {
    const levels = { ...draft.user(user).levels }
    for (const [level, fields] of profile.levels) {
      // A concurrent set that loses does not change what is shown, so no viewer is notified again [F1].
      const before = await draft.own.level(user, level)
      if (Buffer.compare(before?.fields ?? noFields, fields) === 0) continue
      levels[level] = notes.position
      notes.levels.set(level, fields)
      if (before) notes.edits.push(editOf(level, before.fields, fields))
      draft.own.writeLevel(user, level, { position: notes.position, fields })
    }
    draft.setUser(user, { levels })
    writeDocument(draft, notes, user, 'profile', profile)
  }
  if (registers) await register(draft, notes, user)
  if (notes.levels.size > 0) draft.own.noteChange(notes.position, user)
}

function writeDocument(
  draft: Draft,
  notes: CommitNotes,
  user: string,
  document: DocumentName,
  { update, snapshot }: DocumentUpdate,
): void {
  if (snapshot) draft.own.writeSnapshot(user, document, notes.position, snapshot)
  else draft.own.writeUpdate(user, document, notes.position, update)
}
