import type { Clock } from '../../clock.ts'
import { isLapsed, lookupDays } from '../../relations/lapsed.ts'
import { keptUser, noRelation, type Relation, saysNothing } from '../../relations/records.ts'
import type { ChangeRetention } from './change-retention.ts'
import { type KeyRange, keys, partsOf, ranges } from './keys.ts'
import type { Operation } from './operations.ts'
import type { PagedReads } from './paged-reads.ts'
import { decodeAsked, decodeRelation, decodeUser } from './record-codec.ts'

const dayMs = 86_400_000

/**
 * The pause between two pages, each of which takes some 3 ms. So this work takes a tenth of the main thread, and less than five
 * hours of a day if a million users have 70 million relations and 50 million look-ups.
 */
const restMs = 30

export interface LapsingPort {
  readonly disk: PagedReads
  readonly retention: ChangeRetention
  readonly clock: Clock
  /** Runs `work` between two batches of the queue of commits. Rejects if the database cannot be written. */
  inQueue(work: () => Promise<void>): Promise<void>
  /** Writes a batch that does not change what reads return. */
  write(operations: readonly Operation[]): Promise<void>
}

type Entry = readonly [key: string, bytes: Uint8Array | undefined]

/**
 * Removes, once a day, records that no device needs: relations that ended before the oldest cursor that is accepted, and
 * look-ups of users whom the roster does not name, after {@link lookupDays}. Also removes records of users that are equivalent
 * to none, which version 0.1.0 wrote. It examines every record of these families, a page at a time, beside the commits. Records
 * that remain because of a stop or a full disk are removed on another day.
 */
export class Lapsing {
  readonly #port: LapsingPort
  #running: Promise<void> | undefined
  #isClosed = false
  #endRest: () => void = () => undefined

  constructor(port: LapsingPort) {
    this.#port = port
  }

  begin(): void {
    if (this.#isClosed) return
    this.#running ??= this.#run()
      .catch(() => undefined)
      .finally(() => {
        this.#running = undefined
      })
  }

  /** Resolves when the current page is done. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#endRest()
    await this.#running
  }

  async #rest(): Promise<void> {
    if (this.#isClosed) return
    let cancel: () => void = () => undefined
    await new Promise<void>(resolve => {
      this.#endRest = resolve
      cancel = this.#port.clock.after(restMs, resolve)
    })
    cancel()
  }

  async #run(): Promise<void> {
    const { upTo, confirmedMs } = await this.#port.retention.lapsed()
    const nowMs = this.#port.clock.now()
    await this.#removeFrom(ranges.allRelations, entries =>
      entries.filter(([, bytes]) => {
        const relation = bytes && decoded(bytes)
        return relation !== undefined && isLapsed(relation, upTo, nowMs)
      }),
    )
    const firstDay = Math.floor(confirmedMs / dayMs) - lookupDays
    await this.#removeFrom(ranges.allAsked, entries =>
      unnamedLookups(this.#port.disk, entries.filter(isBefore(firstDay))),
    )
    await this.#removeFrom(ranges.users, blankUsers)
  }

  /** Checks again right before the removal, because a commit may have written the record meanwhile. */
  async #removeFrom(
    range: KeyRange,
    select: (entries: readonly Entry[]) => readonly Entry[] | Promise<readonly Entry[]>,
  ): Promise<void> {
    const { disk, inQueue, write } = this.#port
    for await (const page of disk.pages(range, () => this.#rest())) {
      if (this.#isClosed) return
      const found = (await select(page)).map(([key]) => key)
      if (found.length === 0) continue
      await inQueue(async () => {
        const records = await disk.getMany(found)
        const lapsed = await select(found.map((key, index): Entry => [key, records[index]]))
        if (lapsed.length > 0) await write(lapsed.map(([key]) => ({ type: 'del', key })))
      })
    }
  }
}

/** Returns the look-ups whose viewer's roster does not mention the user. */
export async function unnamedLookups(disk: PagedReads, entries: readonly Entry[]): Promise<readonly Entry[]> {
  const relations = await disk.getMany(entries.map(([key]) => relationKeyOf(key)))
  return entries.filter((_, index) => {
    const bytes = relations[index]
    const relation = bytes ? decoded(bytes) : noRelation
    return relation !== undefined && saysNothing(relation.mySide.said)
  })
}

/** Returns the records of users that are equivalent to no record. */
export function blankUsers(entries: readonly Entry[]): readonly Entry[] {
  return entries.filter(([, bytes]) => {
    try {
      return bytes !== undefined && keptUser(decodeUser(bytes)) === undefined
    } catch {
      return false
    }
  })
}

/** Returns `undefined` for a malformed record: it stays, other records are still removed, and `check` reports it. */
function decoded(bytes: Uint8Array): Relation | undefined {
  try {
    return decodeRelation(bytes)
  } catch {
    return undefined
  }
}

/** Whether a look-up was charged before this day. A malformed record was not. */
const isBefore =
  (day: number) =>
  ([, bytes]: Entry): boolean => {
    if (bytes === undefined) return false
    try {
      return decodeAsked(bytes) < day
    } catch {
      return false
    }
  }

function relationKeyOf(askedKey: string): string {
  const [, viewer, id] = partsOf(askedKey) as [string, string, string]
  return keys.relation(viewer, id)
}
