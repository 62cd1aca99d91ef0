import { profileFields } from '@kith/shared'
import { accountFile } from '@kith/shared/account'
import type { AnyFields } from '../api/app-types.ts'
import { wrong } from '../api/arguments.ts'
import { coreOf } from '../api/core-of.ts'
import { Kith } from '../api/kith.ts'
import { systemClock } from '../clock.ts'

/**
 * Exports all of the user's own data: profile, contacts, labels, levels, follows, blocks, settings. Resolves to the text of a
 * JSON file (see `AccountFile`) that `importAccount` reads, on any server. It has what this device holds, also offline and
 * unsent: call `kith.whenSynced()` first for what other devices have changed. What other users show to this user is theirs, and
 * not in it.
 *
 * ```ts
 * const file = new Blob([await exportAccount(kith)], { type: 'application/json' })
 * ```
 *
 * The file holds everything, also what is private: treat it as a secret. Rejects with `closed` when the client was closed.
 *
 * @param kith - The client whose user it is, as `openKith` returned it.
 */
export async function exportAccount(kith: Kith<AnyFields, AnyFields>): Promise<string> {
  if (!(kith instanceof Kith)) throw wrong('kith', 'the result of openKith', kith)
  const core = coreOf(kith)
  core.checkOpen()
  await core.store.refresh() // What other tabs wrote.
  const { roster, profile, hands } = core.store.documents
  const file = accountFile({
    user: core.user,
    exportedAtMs: systemClock.now(),
    profile: profileFields(profile.view),
    roster: roster.view,
    unconfirmedOf: id => hands.get(id)?.incarnation ?? '',
  })
  return `${JSON.stringify(file, undefined, 2)}\n`
}
