import type { Kith } from '@kith/client'
import { coreOf } from '../../../packages/client/src/api/core-of.ts'
import type { FactChanges } from '../model/edits.ts'
import type { Device, Tab, Written } from './device.ts'
import { type Documents, factsOf } from './documents.ts'
import { changesText, factsOfChanges, sameChanges } from './facts-of-changes.ts'
import type { Judge } from './judge.ts'
import type { Record } from './record.ts'

/** What a tab is to write. */
export interface Expected {
  tab: Tab
  wanted: FactChanges
}

/** Tells the model what devices write, and compares it with what the model says they must [R3][R5]. */
export class Scribe {
  readonly #record: Record
  readonly #judge: Judge
  readonly #wrong: (what: string) => void

  constructor(record: Record, judge: Judge, wrong: (what: string) => void) {
    this.#record = record
    this.#judge = judge
    this.#wrong = wrong
  }

  /** What a tab wrote since it was last asked. */
  take(tab: Tab, expected?: Expected): void {
    if (!tab.kith) return
    const wanted = expected?.tab === tab ? expected.wanted : undefined
    const rows = tab.takeWritten()
    const documents = tab.documents
    this.note(tab.device, rows, documents, wanted)
    this.#forgetReplaced(tab, documents)
    if (rows.length > 0) this.#record.judge(`on ${tab.device.name}`, tab.user, documents, factsOf(documents))
  }

  /**
   * A device whose database was restored may find that the server has other edits under its own client id. It then takes
   * the server's state and makes its unsent edits anew, as new ones [D5]. What an old one said must stand all the same,
   * unless the device has changed its mind; a lifting may have met what it had not seen.
   */
  #forgetReplaced({ kith, device, user }: Tab, documents: Documents): void {
    const { generation } = coreOf(kith as Kith).store.documents
    const isReplaced = device.generation !== undefined && device.generation !== generation
    device.generation = generation
    if (!isReplaced) return
    const known = new Set(this.#record.included(user, documents))
    const facts = factsOf(documents)
    const own = this.#record.editsOf(user).filter(({ id }) => device.safe.has(id))
    for (const edit of own.filter(one => !known.has(one))) {
      const stands = [...edit.changes].every(
        ([name, value]) =>
          facts.get(name) === value ||
          (value === undefined && name.startsWith('block ')) ||
          name === 'audience' ||
          own.some(later => later.id > edit.id && later.changes.has(name)),
      )
      if (stands) device.safe.delete(edit.id)
    }
  }

  /** Tells the model what a device wrote, whose documents have it; `wanted`: what it was to write. */
  note(device: Device, rows: readonly Written[], documents: Documents, wanted?: FactChanges): void {
    const after = factsOf(documents)
    if (wanted && wanted.size > 0 && rows.length === 0) {
      this.#wrong(`${device.name} wrote nothing, and not ${changesText(wanted)} [R5]`)
    }
    // Each had seen what came before it, and not what comes after.
    for (const row of rows) {
      const changes = factsOfChanges(row.changes, after)
      if (wanted && (rows.length > 1 || !sameChanges(changes, wanted))) {
        this.#wrong(`${device.name} wrote ${changesText(changes)}, and not ${changesText(wanted)} [R3][R5]`)
      }
      const edit = this.#record.made(device.user, row, documents, changes)
      device.safe.add(edit.id)
      if ((device.incarnation ?? Infinity) < this.#record.incarnationOf(device.user)) this.#record.kill(edit.id)
      for (const value of changes.values()) {
        if (typeof value !== 'string') continue
        for (const one of this.#judge.secretsIn(value)) one.edit = edit
      }
    }
  }
}
