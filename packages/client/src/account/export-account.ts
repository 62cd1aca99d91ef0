import { profileFields } from '@kith/shared'
import { accountFile } from '@kith/shared/account'
import type { AnyFields } from '../api/app-types.ts'
import { wrong } from '../api/arguments.ts'
import { coreOf } from '../api/core-of.ts'
import { Kith } from '../api/kith.ts'
import { systemClock } from '../clock.ts'

/**
 * Exports all of the user's own data: profile, contacts, labels, levels, follows, blocks, settings. Resolves to the text of a
 * JSON file (see `AccountFile`) that `importAccount` reads, on any server. The file contains what this device holds, including
 * unsent changes, also offline: call `kith.whenSynced()` first to include changes of other devices. Data that other users show
 * to this user belongs to them, and is not in the file.
 *
 * ```ts
 * const file = new Blob([await exportAccount(kith)], { type: 'application/json' })
 * ```
 *
 * The file contains private data: treat it as a secret. Rejects with `closed` when the client was closed.
 *
 * @param kith - The client of the user, as `openKith` returned it.
 */
export async function exportAccount(kith: Kith<AnyFields, AnyFields>): Promise<string> {
  if (!(kith instanceof Kith)) throw wrong('kith', 'the result of openKith', kith)
  const core = coreOf(kith)
  core.checkOpen()
  await core.store.refresh() // Changes of other tabs.
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
