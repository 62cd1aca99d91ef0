import type { Kith } from '@kith/client'
import type { KeyChange } from '@kith/shared'
import { coreOf } from '../../support/client-internals.ts'
import type { FactChanges, Facts } from '../model/edits.ts'
import type { Device, Tab, Written } from './device.ts'
import { type Documents, factsOf } from './documents.ts'
import { audienceOf, changesText, factsOfChanges, sameChanges } from './facts-of-changes.ts'
import type { Judge } from './judge.ts'
import { isAccountedFor } from './kept.ts'
import type { KnownEdit, Record } from './record.ts'

/** What a tab must write. */
export interface Expected {
  tab: Tab
  /** Called when the tab has finished its automatic work. */
  wanted(isWritten: boolean): FactChanges
  /** Facts that it may write in addition. Nothing of them stands in its documents. */
  besides: FactChanges
}

interface Plan {
  wanted: FactChanges
  besides: FactChanges
}

/** Reports to the model what devices write, and compares it with what the model requires [R3][R5]. */
export class Scribe {
  readonly #record: Record
  readonly #judge: Judge
  readonly #wrong: (what: string) => void
  readonly #mayRefuse: () => boolean

  /** `mayRefuse`: whether some server has had a reason to refuse changes of these devices. */
  constructor(record: Record, judge: Judge, wrong: (what: string) => void, mayRefuse: () => boolean) {
    this.#record = record
    this.#judge = judge
    this.#wrong = wrong
    this.#mayRefuse = mayRefuse
  }

  /** Processes what a tab wrote since the last call. */
  take(tab: Tab, expected?: Expected): void {
    if (!tab.kith) return
    const rows = tab.takeWritten()
    const wanted = expected?.tab === tab ? expected.wanted(rows.some(row => !row.isAgain)) : undefined
    const documents = tab.documents
    const before = this.#record.included(tab.user, documents)
    for (const { id } of before) tab.device.met.add(id)
    for (const { id } of this.#record.arriving(tab.user, documents, before)) tab.device.met.add(id)
    this.note(tab.device, rows, documents, wanted && { wanted, besides: expected?.besides ?? new Map() })
    // Another tab may have written what this one has not read yet.
    if (tab.device.tabs.length === 1) this.expectKept(tab)
    if (rows.length > 0) this.#record.judge(`on ${tab.device.name}`, tab.user, documents, factsOf(documents))
  }

  /**
   * What a device once saved is there, or its content stands in what the app sees, unless another edit changed it since [D6]. A
   * device that has built its documents on a server's state no longer knows which of the facts that this state lacks it had
   * removed.
   */
  expectKept(tab: Tab, isEnd = false): void {
    const { kith, device, user, view, documents } = tab
    const { generation } = coreOf(kith as Kith).store.documents
    const isReplaced = device.generation !== undefined && device.generation < generation
    device.generation = Math.max(device.generation ?? 0, generation)
    const edits = this.#record.editsOf(user)
    const included = new Set(this.#record.included(user, documents))
    const absent = isEnd
      ? []
      : [...this.#record.openNames(user, documents, view), ...this.#record.removedAhead(user, included, view)]
    for (const edit of edits) {
      if (!device.safe.has(edit.id) || included.has(edit) || this.#record.isDead(edit.id)) continue
      const lost = isAccountedFor(edit, { facts: view, included, edits, device, absent })
      // Only documents that are built on a server's state express earlier changes differently.
      if (lost !== undefined || device.generation === 0) {
        const what = lost ?? [...edit.changes.keys()].join()
        this.#wrong(`${device.name} has lost what it had saved: ${what} is ${String(view.get(what))} [D1][D6]`)
        device.safe.delete(edit.id)
      } else if (isReplaced && [...edit.changes.values()].every(value => value === undefined)) {
        device.safe.delete(edit.id)
      }
    }
  }

  /** Reports to the model what a device wrote. Its documents already have it. `plan`: what it had to write. */
  note(device: Device, rows: readonly Written[], documents: Documents, plan?: Plan): void {
    const after = factsOf(documents)
    const own = rows.filter(row => !row.isAgain && !this.#isSaidAgain(device, row, after, plan))
    if (plan && plan.wanted.size > 0 && own.length === 0) {
      this.#wrong(`${device.name} wrote nothing, and not ${changesText(plan.wanted)} [R5]`)
    }
    // Each row had seen the rows before it, and not those after it.
    for (const row of rows) {
      if (row.refusal !== undefined) this.#expectReason(device, row)
      else if (!own.includes(row)) this.#noteAgain(device, row, documents, after)
      else this.#noteNew(device, row, documents, factsOfChanges(row.changes, after), plan && { ...plan, own })
    }
  }

  /** A server brought back what the device knew to be replaced or removed, and the device repeats its change [D6]. */
  #isSaidAgain(device: Device, { changes, refusal }: Written, after: Facts, plan: Plan | undefined): boolean {
    if (!this.#mayRefuse() || refusal !== undefined) return false
    const said = factsOfChanges(changes, after)
    if (plan && [...plan.wanted.keys()].some(name => said.has(name))) return false
    // A device cannot repeat what its documents never had.
    const edits = this.#record.editsOf(device.user).filter(({ id }) => device.met.has(id))
    return changes.every(change => edits.some(({ written }) => says(written, change)))
  }

  #noteNew(
    device: Device,
    row: Written,
    documents: Documents,
    all: FactChanges,
    expected: (Plan & { own: readonly Written[] }) | undefined,
  ): void {
    const changes = new Map([...all].filter(([name]) => !expected?.besides.has(name)))
    if (expected && (expected.own.length > 1 || !sameChanges(changes, expected.wanted))) {
      this.#wrong(`${device.name} wrote ${changesText(changes)}, and not ${changesText(expected.wanted)} [R3][R5]`)
    }
    this.#made(device, this.#record.made(device.user, row, documents, changes, device.met))
  }

  /** A row that was stored again unchanged is not an edit. A row that repeats what a server lacks restates other edits. */
  #noteAgain(device: Device, row: Written, documents: Documents, after: Facts): void {
    const edits = this.#record.editsOf(device.user)
    if (edits.some(({ written }) => Buffer.from(written.update).equals(row.update))) return
    const origins = edits.filter(edit => edit.document === row.document && saysSome(edit.written, row))
    const changes = new Map(factsOfChanges(row.changes, after))
    // A key that narrows the audience itself states how far. The removal of such keys stands for the same audience as then.
    const removed = origins.filter(edit => edit.changes.has('audience')).at(-1)?.changes
    const audience = audienceOf(row.changes) ?? removed?.get('audience')
    if (changes.has('audience') && audience !== undefined) changes.set('audience', audience)
    // A grant that was only refused is taken back without an entry. When a server brings the original, the original is removed
    // too.
    const isTakenBack =
      row.changes.every(({ value }) => value === undefined) &&
      [...changes.keys()].every(name => device.hasTakenBack(name))
    if (origins.length === 0 && !isTakenBack)
      this.#wrong(`${device.name} made again what was never made: ${changesText(changes)} [D6]`)
    this.#made(device, this.#record.made(device.user, row, documents, changes, device.met, origins))
  }

  #made(device: Device, edit: KnownEdit): void {
    device.safe.add(edit.id)
    device.met.add(edit.id)
    if ((device.incarnation ?? Infinity) < this.#record.incarnationOf(device.user)) this.#record.kill(edit.id)
    const fields = [...(edit.again?.fields.values() ?? [])].flat()
    for (const value of new Set([...edit.changes.values(), ...fields])) {
      if (typeof value !== 'string') continue
      for (const one of this.#judge.secretsIn(value)) one.edits.push(edit)
    }
  }

  #expectReason(device: Device, row: Written): void {
    const { changes, refusal } = row
    for (const edit of this.#record.editsOf(device.user)) {
      if (edit.document === row.document && saysSome(edit.written, row)) this.#record.refused.add(edit.id)
    }
    if (this.#mayRefuse()) return
    const keys = changes.map(({ root, key }) => `${root} ${key}`)
    this.#wrong(`${device.name} counts ${keys.join()} as refused: ${refusal}, which no server had a reason for [D5]`)
  }
}

/** Whether one of them has the same content as the other for some key. */
export function saysSome(one: Written, other: Written): boolean {
  return other.changes.some(change => says(one, change))
}

function says({ changes }: Written, { root, key, value }: KeyChange): boolean {
  return changes.some(change => change.root === root && change.key === key && change.value === value)
}
