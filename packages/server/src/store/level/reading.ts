import type { Change } from '../../relations/changes.ts'
import type { Touched } from '../../relations/draft.ts'
import { names } from '../../relations/record-names.ts'
import type { Removal } from '../../relations/record-store.ts'
import { RecordedReads } from '../../relations/recorded-reads.ts'
import { newUser, noUser, type UserRecord } from '../../relations/records.ts'
import type { LevelReads } from './level-records.ts'

/**
 * The reads of one change that is prepared outside the queue of commits. It records what was read, and is notified of every
 * batch that is written meanwhile. The prepared change is valid if no batch touched what was read.
 */
export class Reading extends RecordedReads implements LevelReads {
  readonly #records: LevelReads
  /** Users as they were read, or are being read. */
  #users = new Map<string, Readonly<UserRecord>>()
  #isOutdated = false
  /** Users whose record was written meanwhile, but without changes that a derivation depends on. */
  readonly newer: Map<string, Readonly<UserRecord>> = new Map()
  readonly subjects: ReadonlySet<string>

  /** `subjects`: the users whose change is prepared. */
  constructor(records: LevelReads, subjects: Iterable<string>) {
    super(records)
    this.#records = records
    this.subjects = new Set(subjects)
  }

  /** Whether what was read no longer matches what is stored. */
  get isOutdated(): boolean {
    return this.#isOutdated
  }

  /** Invalidates everything that was read. */
  end(): void {
    this.#isOutdated = true
  }

  override async users(ids: readonly string[]): Promise<Readonly<UserRecord>[]> {
    const records = await super.users(ids)
    for (const [index, id] of ids.entries()) this.#users.set(id, records[index] as UserRecord)
    return records
  }

  keysOf(removal: Removal): AsyncIterable<string> {
    this.read.add(nameOf(removal))
    return this.#records.keysOf(removal)
  }

  /** Not recorded, because a revocation is dated when it is written. */
  revokedAtMs(ids: readonly string[]): Promise<number[]> {
    return this.#records.revokedAtMs(ids)
  }

  /** A batch was written. Earlier reads become invalid if the batch touched their records. */
  note(touched: Iterable<Touched>): void {
    if (this.#isOutdated) return
    for (const one of touched) {
      if (this.#isConcernedBy(one)) {
        this.#isOutdated = true
        return
      }
    }
  }

  #isConcernedBy({ name, range, user }: Touched): boolean {
    if (range !== undefined && this.read.has(range)) return true
    if (!this.read.has(name)) return false
    if (!user) return true
    const before = this.newer.get(user.id) ?? this.#users.get(user.id) ?? noUser
    if (!deriveAlike(before, user.record, this.subjects.has(user.id))) return true
    this.newer.set(user.id, user.record)
    return false
  }
}

function nameOf(removal: Removal): string {
  switch (removal.kind) {
    case 'levels':
      return names.levels(removal.owner)
    case 'asked':
      return names.asked(removal.viewer)
    case 'document':
      return names.document(removal.user, removal.document)
    case 'events':
      return names.events(removal.about)
  }
}

/**
 * Whether two states of a user lead to the same derivation. A profile edit or a disconnection does not matter for others'
 * rosters. The levels of the users whose change is prepared do matter, because that change writes them.
 */
function deriveAlike(a: UserRecord, b: UserRecord, isSubject: boolean): boolean {
  return JSON.stringify(withoutNews(a, isSubject)) === JSON.stringify(withoutNews(b, isSubject))
}

function withoutNews(user: UserRecord, isSubject: boolean): UserRecord {
  const levels = isSubject ? user.levels : {}
  return { ...newUser(), ...user, levels, lastSeenMinute: undefined }
}

/**
 * Returns a user's record as it was prepared, with the news that were written meanwhile. `own`: the type of the prepared
 * change, if it is the user's own.
 */
export function withNews(prepared: UserRecord, newer: UserRecord, own: Change['type'] | undefined): UserRecord {
  return {
    ...prepared,
    // Only the user's own change writes levels. If another change had written them meanwhile, this one would be outdated.
    levels: own ? prepared.levels : newer.levels,
    lastSeenMinute: own === 'seen' || own === 'erase' ? prepared.lastSeenMinute : newer.lastSeenMinute,
  }
}
