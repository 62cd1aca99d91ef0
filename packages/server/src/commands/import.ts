import { existsSync } from 'node:fs'
import {
  goneContacts,
  type ImportContact,
  type ImportRecord,
  type InvalidContact,
  inTransactions,
  type PhoneBook,
  planContacts,
  planGone,
  recordOf,
} from '@kith/shared/import'
import { systemClock } from '../clock.ts'
import { type Environment, SettingsError } from '../environment.ts'
import { readTokenSettings } from '../settings.ts'
import { neverRevoked, Tokens } from '../tokens.ts'
import { type ImportOptions, readImportOptions } from './import/options.ts'
import { readPhoneBook } from './import/read-file.ts'
import { readRecordFile, writeRecordFile } from './import/record-file.ts'
import { RosterDevice } from './import/roster-device.ts'

const print = (line: string): void => void process.stdout.write(`${line}\n`)
const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** Imports a phone book into the contacts of a user of a running server, in the same way as a device of that user. */
export async function runImport(args: readonly string[], env: Environment): Promise<number> {
  const options = readImportOptions(args)
  const record = await readRecordFile(options.record, options.user)
  let entries = 0
  const book = await readPhoneBook(options, entry => {
    entries++
    for (const { line, reason } of entry.diagnoses) say(`line ${line}: ${named(entry.name)}${reason}`)
    if (entries % 1000 === 0) say(`${entries} entries read`)
  })
  for (const { line, label, address, reason } of book.invalid) {
    say(`line ${line}: ${named(label)}${address === undefined ? '' : `${address}: `}${reasons[reason]}`)
  }
  const token = env['KITH_TOKEN'] || (await signedToken(options, env))
  const device = await RosterDevice.connect(options.url, options.user, token)
  try {
    const plan = planned(device, book, options, record)
    if (options.isDryRun) list(plan)
    else await apply(device, book, options, record, plan.gone)
    print(summary(plan, entries, book, options))
    return 0
  } finally {
    await device.close()
  }
}

const reasons: Record<InvalidContact['reason'], string> = {
  malformed: 'no address',
  'too-long': 'too long for an address',
  self: 'the own address',
  'not-a-phone-number': 'not a phone number',
  ambiguous: 'a phone number of which it is not certain whose it is',
  'no-address': 'no address to import',
}

interface Plan {
  added: ImportContact[]
  changed: ImportContact[]
  unchanged: ImportContact[]
  gone: ImportContact[]
}

function planned(device: RosterDevice, book: PhoneBook, options: ImportOptions, record: ImportRecord): Plan {
  const plan = planContacts(device.roster, contactsOf(book), preferencesOf(options), record)
  return { ...plan, gone: goneContacts(device.roster, record, book.contacts) }
}

async function apply(
  device: RosterDevice,
  book: PhoneBook,
  options: ImportOptions,
  record: ImportRecord,
  gone: readonly ImportContact[],
): Promise<void> {
  const contacts = contactsOf(book)
  const after = recordOf(book.contacts)
  const written = new Map(record)
  let done = 0
  for (const piece of inTransactions(contacts)) {
    await device.write(planContacts(device.roster, piece, preferencesOf(options), record).changes)
    // With each piece, so that a name which the user gives a contact after an import that was cut off stays.
    for (const { address } of piece) written.set(address, after.get(address) as string)
    await writeRecordFile(options.record, options.user, written)
    done += piece.length
    say(`${done} of ${contacts.length} contacts written`)
  }
  if (options.removesGone) {
    for (const piece of inTransactions(gone)) await device.write(planGone(device.roster, piece))
  }
  await writeRecordFile(options.record, options.user, after)
}

function list({ added, changed, gone }: Plan): void {
  const lines = (what: string, contacts: readonly ImportContact[]): void => {
    for (const { address, label } of contacts) print(`${what} ${address}${label === undefined ? '' : ` ${label}`}`)
  }
  lines('add', added)
  lines('change', changed)
  lines('gone', gone)
}

function summary(
  { added, changed, unchanged, gone }: Plan,
  entries: number,
  book: PhoneBook,
  options: ImportOptions,
): string {
  const counts = `${added.length} added, ${changed.length} changed, ${unchanged.length} unchanged`
  const left = options.removesGone ? `${gone.length} removed` : `${gone.length} gone and kept`
  const rest = `${book.invalid.length} not imported, ${left}`
  return `${options.isDryRun ? 'would be: ' : ''}${counts}, ${rest}; ${entries} entries read`
}

function contactsOf(book: PhoneBook): ImportContact[] {
  return [...book.contacts].map(([address, label]) => ({ address, label }))
}

function preferencesOf({ levels, isSubscribed }: ImportOptions): Parameters<typeof planContacts>[2] {
  return { ...(levels && { levels }), ...(isSubscribed && { isSubscribed }) }
}

function named(name: string | undefined): string {
  return name === undefined ? '' : `${name}: `
}

async function signedToken({ folder, user }: ImportOptions, env: Environment): Promise<string> {
  if (env['KITH_JWKS_URL']) throw new SettingsError('with KITH_JWKS_URL set KITH_TOKEN to a token of this user')
  if (!env['KITH_TOKEN_SECRET'] && !existsSync(folder)) {
    throw new SettingsError(`there is no folder ${folder}: check --data, or set KITH_TOKEN to a token of this user`)
  }
  return new Tokens(await readTokenSettings(folder, env), systemClock, neverRevoked(systemClock)).issue(user)
}
