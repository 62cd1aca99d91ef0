import type { Limits } from '@kith/shared'
import { encodeFields } from '@kith/shared/wire'
import { applyPair, applyUser, erase, noteLastSeen, register, revokeTokens } from './account.ts'
import type { CommitNotes, Draft } from './draft.ts'
import { askedBefore, lookupDelayMs, spendLookup } from './follow-budget.ts'
import { keys, ranges } from './keys.ts'
import { decodeLevel, encodeLevel, encodeText } from './record-codec.ts'
import { applyFacts, applySettings, promote } from './roster.ts'
import type { Change, DocumentsChange } from './store.ts'
import { updateShown } from './visible-levels.ts'

/** One change, and everything that follows from it, laid over the draft [D4]. */
export async function derive(draft: Draft, notes: CommitNotes, change: Change, limits: Limits): Promise<void> {
  await apply(draft, notes, change, limits)
  await updateShown(draft, notes)
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
      return erase(draft, notes, change.user, limits)
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
  if (roster) {
    await applySettings(draft, notes, user, roster.settings, limits)
    await applyFacts(draft, notes, user, roster.facts, limits)
    await writeDocument(draft, notes, user, 'roster', roster)
  }
  if (profile) {
    const levels = { ...draft.user(user).levels }
    for (const [level, fields] of profile.levels) {
      // A concurrent set that loses changes nothing of what is shown, so no viewer is told of it again [F1].
      const before = await draft.read(keys.level(user, level))
      if (Buffer.compare(before ? decodeLevel(before).fields : noFields, fields) === 0) continue
      levels[level] = notes.position
      notes.levels.set(level, fields)
      draft.write(keys.level(user, level), encodeLevel({ position: notes.position, fields }))
    }
    draft.setUser(user, { levels })
    await writeDocument(draft, notes, user, 'profile', profile)
  }
  if (registers) await register(draft, notes, user)
  if (notes.levels.size > 0) draft.write(keys.change(notes.position), encodeText(user))
}

async function writeDocument(
  draft: Draft,
  notes: CommitNotes,
  user: string,
  document: 'roster' | 'profile',
  { update, snapshot }: { update: Uint8Array; snapshot?: Uint8Array | undefined },
): Promise<void> {
  if (snapshot) {
    await draft.removeRange(ranges.document(user, document))
    draft.write(keys.snapshot(user, document), snapshot)
  } else draft.write(keys.update(user, document, notes.position), update)
}
