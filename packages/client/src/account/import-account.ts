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
  /** The user id in the file, if it differs from this user's, for example because the other server used other ids. */
  fromUser?: string
}

/** The result of importing an account. */
export interface ImportAccountResult {
  /** The number of users for whom something was added. */
  contacts: number
  /** The number of profile fields that were added. */
  fields: number
  /** The number of fields and labels for which this account has another value, which it keeps. */
  kept: number
  /** Users whose id has changed hands: they get no levels and no follow until the user sets these again [D7]. */
  changedHands: string[]
}

/**
 * Imports the file that `exportAccount` made, as its text or a Blob, into this user's account. It adds what the account lacks:
 * fields, contacts, labels, levels, follows, blocks, settings, and narrower privacy. It changes and removes nothing that the
 * account has, so a second import of the same file does nothing. Everything is written in one transaction, or nothing is.
 *
 * Resolves to what was added, when it is on this device's disk. Rejects, and writes nothing, with
 * - `malformed` when it is not such a file: the message contains the place, the expected value and the found value;
 * - `wrong-user` when it is another user's file, and `fromUser` does not name that user;
 * - `roster-too-large`, `too-many-relations`, `label-too-long`, `profile-too-large`, `too-many-levels` or `field-name-too-long`
 *   when the account would exceed a limit of the server;
 * - `database-failed` when nothing could be stored, or `closed`.
 *
 * @param kith - The client of the account that gets the data.
 * @param file - The text of the file, or a Blob such as a `File` that the user chose.
 * @param options - The user of the file, if it is not this user.
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
  const account = readAccountFile(await textOf(file), core.store.documents.limits.labelBytes)
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
