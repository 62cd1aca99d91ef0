import type { Limits } from '@kith/shared'
import type { Change } from '../relations/changes.ts'
import { derive } from '../relations/derive.ts'
import { Draft } from '../relations/draft.ts'
import { Incarnations } from '../relations/incarnations.ts'
import type { UserRecord } from '../relations/records.ts'
import { newNotes } from '../store/commit-notes.ts'
import { encode } from '../store/level/encode.ts'
import { BulkRecords } from './bulk-records.ts'
import { type PackedRecords, packed } from './packed-records.ts'

/** The server's settings that a bulk derivation needs. */
export interface BulkOptions {
  /** The limits of the server that will serve the folder. */
  limits: Limits
  /** The time of all changes, in milliseconds since 1970. */
  nowMs: number
}

/**
 * Derives the records of many changes by the server's own derivation, for a {@link BulkWriter}: without reads of the disk, and
 * without a sync for each batch. So users come in *groups*, and a change names no user of earlier groups, except those who are
 * kept. Several threads may derive groups, each with the kept users.
 */
export class BulkDerivation {
  readonly #options: BulkOptions
  readonly #kept: Map<string, Readonly<UserRecord>> = new Map()
  readonly #over: Set<string> = new Set()
  readonly #incarnations: Incarnations = new Incarnations(Incarnations.newIdentity())
  #draft: Draft

  /** The position of the last change. May be set before a group, because each change of a store has its own position. */
  position = 0

  constructor(options: BulkOptions) {
    this.#options = options
    this.#draft = this.#newDraft()
  }

  /**
   * Derives a change. Erasures are not supported, because they depend on earlier records.
   *
   * @param change - The change, as a server would commit it.
   * @returns Resolves when it is derived.
   * @throws Error If the change concerns a user of an earlier group who is not kept.
   */
  async commit(change: Change): Promise<void> {
    this.position++
    await derive(this.#draft, newNotes(this.position, change), change, this.#options.limits)
  }

  /**
   * Ends a group of users.
   *
   * @param keeps - Users of this group that changes of later groups name. All of them are registered.
   * @returns Resolves to the records of the group.
   * @throws Error If the group changed the record of a user who was kept.
   */
  async endGroup(keeps: readonly string[] = []): Promise<PackedRecords> {
    const draft = this.#draft
    const records = packed(await encode(this.#records(), draft, 0), (family, id) => {
      if (family !== 'user') return
      if (this.#kept.has(id)) throw new Error(`a later group changed the record of ${id}`)
      if (keeps.includes(id)) this.#kept.set(id, draft.user(id))
      else this.#over.add(id)
    })
    this.#draft = this.#newDraft()
    return records
  }

  #newDraft(): Draft {
    return new Draft(this.#records(), this.#options.nowMs, this.#incarnations)
  }

  #records(): BulkRecords {
    return new BulkRecords(this.#kept, this.#over)
  }
}
