import type { Disk, Touched } from '../relations/draft.ts'
import { type KeyRange, keyOfUser } from '../relations/keys.ts'
import { decodeUser } from '../relations/record-codec.ts'
import { newUser, type UserRecord } from '../relations/records.ts'

/**
 * The disk as one change reads it that is prepared outside the queue of commits: remembers what was read, and learns of
 * every batch that is written meanwhile. What was prepared holds if none of it touched what was read.
 */
export class Reading implements Disk {
  #disk: Disk
  #keys = new Map<string, Uint8Array | undefined>()
  #ranges: KeyRange[] = []
  #isOutdated = false
  /** Users whose record was written meanwhile, though nothing in it that a derivation looks at. */
  readonly newer: Map<string, UserRecord> = new Map()
  readonly #subject: string

  /** `subject`: whose change is prepared. */
  constructor(disk: Disk, subject: string) {
    this.#disk = disk
    this.#subject = subject
  }

  /** What was read is no longer what is stored. */
  get isOutdated(): boolean {
    return this.#isOutdated
  }

  /** Whatever was read counts no more. */
  end(): void {
    this.#isOutdated = true
  }

  async getMany(wanted: string[]): Promise<(Uint8Array | undefined)[]> {
    // Noted first: a batch that is written while this reads counts.
    for (const key of wanted) if (!this.#keys.has(key)) this.#keys.set(key, undefined)
    const values = await this.#disk.getMany(wanted)
    for (const [index, key] of wanted.entries()) if (keyOfUser(key) !== undefined) this.#keys.set(key, values[index])
    return values
  }

  entries(range: KeyRange): AsyncIterable<[string, Uint8Array]> {
    this.#ranges.push(range)
    return this.#disk.entries(range)
  }

  keys(range: KeyRange): AsyncIterable<string> {
    this.#ranges.push(range)
    return this.#disk.keys(range)
  }

  /** A batch was written: what was read before that counts no more, where the batch touched it. */
  note(touched: Iterable<Touched>): void {
    if (this.#isOutdated) return
    for (const one of touched) {
      if (this.#isConcernedBy(one)) {
        this.#isOutdated = true
        return
      }
    }
  }

  #isConcernedBy({ key, user: userAfter }: Touched): boolean {
    if (this.#ranges.some(({ gt, lt }) => key > gt && key < lt)) return true
    if (!this.#keys.has(key)) return false
    const user = keyOfUser(key)
    const after = userAfter?.()
    if (user === undefined || after === undefined) return true
    const before = this.newer.get(user) ?? this.#readUser(key)
    if (!deriveAlike(before, after, user === this.#subject)) return true
    this.newer.set(user, after)
    return false
  }

  #readUser(key: string): UserRecord {
    const bytes = this.#keys.get(key)
    return bytes ? decodeUser(bytes) : newUser()
  }
}

/**
 * Whether two states of a user lead to the same derivation: a profile edit or a going does not matter to others' rosters.
 * The levels of the user whose change is prepared do matter, since that change writes them.
 */
function deriveAlike(a: UserRecord, b: UserRecord, isSubject: boolean): boolean {
  return JSON.stringify(withoutNews(a, isSubject)) === JSON.stringify(withoutNews(b, isSubject))
}

function withoutNews(user: UserRecord, isSubject: boolean): UserRecord {
  const levels = isSubject ? user.levels : {}
  return { ...newUser(), ...user, levels, lastSeenMinute: undefined, relationsChangedAt: 0 }
}

/** A user's record as it was prepared, with the news that came meanwhile. `user`: whose change it is. */
export function withNews(prepared: UserRecord, newer: UserRecord, isOwn: boolean): UserRecord {
  return {
    ...prepared,
    // Only the user's own change writes levels; had another one written them meanwhile, this one would be outdated.
    levels: isOwn ? prepared.levels : newer.levels,
    lastSeenMinute: isOwn && prepared.registeredAt === 0 ? prepared.lastSeenMinute : newer.lastSeenMinute,
    relationsChangedAt: Math.max(prepared.relationsChangedAt, newer.relationsChangedAt),
  }
}
