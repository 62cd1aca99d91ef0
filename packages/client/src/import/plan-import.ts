import type { FlatMaps, KeyChange } from '@kith/shared'
import {
  type ContactEntry,
  goneContacts,
  type ImportContact,
  type ImportRecord,
  type InvalidContact,
  inTransactions,
  type MadeChange,
  madeChanges,
  PhoneBook,
  planContacts,
  planGone,
  planUndo,
  recordOf,
} from '@kith/shared/import'
import { addressParser } from '../api/addresses.ts'
import type { AnyFields } from '../api/app-types.ts'
import { wrong } from '../api/arguments.ts'
import type { KithCore } from '../api/core.ts'
import { coreOf } from '../api/core-of.ts'
import { Kith } from '../api/kith.ts'
import { edit } from '../database/edit.ts'
import { nextTurn } from '../turn.ts'
import { untilAborted } from './abort.ts'
import { type CheckedOptions, checkImportOptions, type PlanImportOptions } from './options.ts'
import { putRecord, readRecord, replaceRecord } from './record.ts'

/** The changes that an import would make. Nothing is written before `apply`. */
export interface ImportPlan {
  /** Users who are not contacts yet. */
  added: ImportContact[]
  /** Contacts that get a level, a follow or another label. */
  changed: ImportContact[]
  unchanged: ImportContact[]
  /** The rejected addresses, and the entries without an address, each with the reason. */
  invalid: InvalidContact[]
  /** Contacts that were in the last import of this source on this device, and are not in this one. */
  gone: ImportContact[]
  /**
   * Writes the import, a thousand contacts per transaction. Resolves to the result when it is on this device's disk. A second
   * call imports the same entries again, as a new plan would: it changes only what the user has removed or taken away since.
   *
   * @param options - Whether contacts that left the phone book are removed.
   * @throws KithError `roster-too-large`, `too-many-relations`, `database-failed` or `closed`; or the reason of the signal.
   */
  apply(options?: ApplyImportOptions): Promise<ImportResult>
}

/** The options of `apply` of an {@link ImportPlan}. */
export interface ApplyImportOptions {
  /** Removes the contacts in `gone`, as `profile.remove()` does. By default, they are left unchanged. */
  removeGone?: boolean
}

/** The result of an import. */
export interface ImportResult {
  added: number
  changed: number
  unchanged: number
  removed: number
  /**
   * Undoes the import, except where the user or a later import has changed something since. Rejects as `apply` does. A second
   * call does nothing.
   *
   * @returns Resolves when that is on this device's disk.
   */
  undo(): Promise<void>
}

/**
 * Compares the entries of a phone book with the user's contacts. Resolves to the changes that importing them would make.
 * `entries` may come from {@link readContacts} or {@link pickContacts}, or be an array.
 *
 * ```ts
 * const plan = await planImport(kith, readContacts(file), { source: 'phone', phoneNumbers: { region: 'GB' } })
 * if (confirm(`Add ${plan.added.length} contacts?`)) await plan.apply()
 * ```
 *
 * `apply` adds contacts, levels, follows and labels, a thousand contacts per transaction. It removes nothing except what
 * `removeGone` says. Applying the same entries again changes nothing; a contact that the user renamed keeps that name until the
 * source has another one. `apply` rejects with `roster-too-large` or `too-many-relations` when a limit is exceeded, and with
 * the reason of the signal; what was already written stays, and another import completes it.
 *
 * Rejects with the reason of the signal, or with the error of `entries`. Rejects with a `TypeError` for a wrong argument.
 *
 * @param kith - The client whose contacts are compared.
 * @param options - The source, the addresses to read, and what the contacts get.
 */
export async function planImport<L extends string = never>(
  kith: Kith<AnyFields, L>,
  entries: AsyncIterable<ContactEntry> | Iterable<ContactEntry>,
  options: PlanImportOptions<NoInfer<L>>,
): Promise<ImportPlan> {
  if (!(kith instanceof Kith)) throw wrong('kith', 'the result of openKith', kith)
  const core = coreOf(kith)
  const checked = checkImportOptions(options, core.shown.levelNames)
  core.checkOpen()
  const book = await readBook(core, entries, checked)
  const record = await readRecord(core.store, checked.source)
  const { view } = core.store.documents.roster
  const contacts = [...book.contacts].map(([address, label]) => ({ address, label }))
  const { added, changed, unchanged } = planContacts(view, contacts, checked.preferences, record)
  const gone = goneContacts(view, record, book.contacts)
  return {
    ...{ added, changed, unchanged, gone, invalid: book.invalid },
    apply: ({ removeGone = false } = {}) => new Application(core, checked, book).apply(removeGone ? gone : []),
  }
}

async function readBook(
  core: KithCore,
  entries: AsyncIterable<ContactEntry> | Iterable<ContactEntry>,
  { kind, phoneNumbers, signal, report }: CheckedOptions,
): Promise<PhoneBook> {
  const parse = await addressParser(phoneNumbers)
  const book = new PhoneBook({ self: core.user, kind, parse, labelBytes: core.store.documents.limits.labelBytes })
  let done = 0
  for await (const entry of untilAborted(entries, signal)) {
    book.add(entry)
    done++
    if (done % entriesPerReport > 0) continue
    report({ stage: 'planning', done, total: undefined })
    await nextTurn()
  }
  report({ stage: 'planning', done, total: done })
  return book
}

const entriesPerReport = 250

/** One application of a plan, based on the roster and on the source's record at that moment. */
class Application {
  readonly #core: KithCore
  readonly #options: CheckedOptions
  readonly #book: PhoneBook
  readonly #made: MadeChange[][] = []

  constructor(core: KithCore, options: CheckedOptions, book: PhoneBook) {
    this.#core = core
    this.#options = options
    this.#book = book
  }

  async apply(offered: readonly ImportContact[]): Promise<ImportResult> {
    const { report, source, preferences } = this.#options
    this.#core.checkOpen()
    const before = await readRecord(this.#core.store, source)
    const after = recordOf(this.#book.contacts)
    // What an earlier call has removed may be a contact again, because the user wants it.
    const gone = offered.filter(({ address }) => before.has(address))
    const contacts = [...this.#book.contacts].map(([address, label]) => ({ address, label }))
    const total = contacts.length + gone.length
    const counts = { added: 0, changed: 0, unchanged: 0, removed: gone.length }
    const written = new Map(before)
    let done = 0
    report({ stage: 'applying', done, total })
    for (const piece of inTransactions(contacts)) {
      // The record grows with each transaction, so a name that the user gives a contact after an import that was cut off stays.
      for (const { address } of piece) written.set(address, after.get(address) as string)
      const plan = (roster: FlatMaps) => planContacts(roster, piece, preferences, before)
      const { added, changed, unchanged } = await this.#edit(plan, written)
      counts.added += added.length
      counts.changed += changed.length
      counts.unchanged += unchanged.length
      done += piece.length
      report({ stage: 'applying', done, total })
    }
    for (const piece of inTransactions(gone)) {
      await this.#edit(roster => ({ changes: planGone(roster, piece) }), written)
      done += piece.length
      report({ stage: 'applying', done, total })
    }
    await this.#core.store.work(({ db }) => putRecord(db, source, after))
    return { ...counts, undo: () => this.#undo(before, after) }
  }

  /** The record of a later import stays. */
  async #undo(before: ImportRecord, after: ImportRecord): Promise<void> {
    for (const made of [...this.#made].reverse()) {
      await this.#core.editRoster(roster => planUndo(roster, made))
      this.#made.pop()
    }
    await replaceRecord(this.#core.store, this.#options.source, after, before)
  }

  /**
   * Makes one transaction, also of the record, and keeps what is needed to undo it. A transaction that is repeated plans again.
   */
  async #edit<T extends { changes: KeyChange[] }>(plan: (roster: FlatMaps) => T, record: ImportRecord): Promise<T> {
    this.#options.signal?.throwIfAborted()
    this.#core.checkOpen()
    let made: MadeChange[] = []
    let last: T | undefined
    const planned = (roster: FlatMaps): KeyChange[] => {
      last = plan(roster)
      made = madeChanges(roster, last.changes)
      return last.changes
    }
    await edit(this.#core.store, 'roster', planned, ({ db }) => putRecord(db, this.#options.source, record))
    this.#made.push(made)
    return last as T
  }
}
