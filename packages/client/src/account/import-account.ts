import { KithError } from '@kith/shared'
import type { AnyFields } from '../api/app-types.ts'
import { checkIsObject, checkUserId, wrong } from '../api/arguments.ts'
import { coreOf } from '../api/core-of.ts'
import { Kith } from '../api/kith.ts'
import { editAll } from '../database/edit.ts'
import { type AccountPlan, planAccount } from './plan-account.ts'
import { type Account, readAccountFile } from './read-file.ts'

/** The options of `importAccount`. */
export interface ImportAccountOptions {
  /** The user id in the file, if it is another than this user's: as when the other server had other ids. */
  fromUser?: string
}

/** What an import of an account did. */
export interface ImportAccountResult {
  /** The number of users of whom something was added. */
  contacts: number
  /** The number of profile fields that were added. */
  fields: number
  /** The number of fields and labels that this account has with other values, and keeps. */
  kept: number
  /** Users whose id had another holder since: they get no levels and no follow until the user gives these again [D7]. */
  changedHands: string[]
}

/**
 * Imports the file that `exportAccount` made, as its text or a Blob, into this user's account. It adds what the account lacks:
 * fields, contacts, labels, levels, follows, blocks, settings, and narrower privacy. It changes and removes nothing that the
 * account has, so importing twice does nothing the second time. Everything is written in one transaction, or nothing is.
 *
 * Resolves when it is on this device's disk, to what was added. Rejects, and writes nothing, with
 * - `malformed` when the file is not such a file: the message names the place, what is wanted there and what was found;
 * - `wrong-user` when it is another user's, and `fromUser` does not say so;
 * - `roster-too-large`, `too-many-relations`, `label-too-long`, `profile-too-large`, `too-many-levels` or `field-name-too-long`
 *   when the account would exceed a limit of the server;
 * - `database-failed` when nothing could be stored, or `closed`.
 *
 * @param kith - The client of the account that gets the data.
 * @param file - The text of the file, or a Blob such as a `File` that the user chose.
 * @param options - Whose file it is, where that is not this user.
 */
export async function importAccount(
  kith: Kith<AnyFields, AnyFields>,
  file: string | Blob,
  options: ImportAccountOptions = {},
): Promise<ImportAccountResult> {
  if (!(kith instanceof Kith)) throw wrong('kith', 'the result of openKith', kith)
  checkIsObject(options)
  const fromUser = options.fromUser === undefined ? undefined : checkUserId(options.fromUser, 'fromUser')
  const core = coreOf(kith)
  core.checkOpen()
  const account = readAccountFile(await textOf(file))
  if (account.user !== (fromUser ?? core.user)) throw otherUser(account.user, fromUser ?? core.user)
  let plan: AccountPlan | undefined
  await editAll(core.store, ({ roster, profile, writer }) => {
    const own = { user: core.user, writer, newNonce: core.shown.newNonce }
    plan = planAccount(account, roster.view, profile.view, own)
    return { roster: plan.roster, profile: plan.profile }
  })
  return resultOf(account, plan as AccountPlan)
}

async function textOf(file: unknown): Promise<string> {
  if (typeof file === 'string') return file
  if (typeof (file as Blob | null)?.text === 'function') return (file as Blob).text()
  throw wrong('file', 'the text of a file, or a Blob', file)
}

function otherUser(user: string, wanted: string): KithError {
  const advice = `pass fromUser: ${JSON.stringify(user)} if that was this user's id`
  return new KithError('wrong-user', `The file is of ${user}, not of ${wanted}: ${advice}; nothing was imported`)
}

function resultOf({ contacts }: Account, plan: AccountPlan): ImportAccountResult {
  return {
    contacts: plan.contacts.size,
    fields: plan.profile.filter(({ value }) => value !== undefined).length,
    kept: plan.kept,
    changedHands: contacts.filter(({ hasChangedHands }) => hasChangedHands).map(({ id }) => id),
  }
}
