import type { Draft } from '../../relations/draft.ts'
import { type LevelName, type LevelRecord, noUser, type UserRecord } from '../../relations/records.ts'

/** What is kept at most, in bytes as they are counted here: the records of some 10,000 users. */
const mostBytes = 16 * 1024 * 1024
/** A user's record with what keeps it, about. */
const bytesOfUser = 1_000
/** A level's record without its fields, about. */
const bytesOfLevel = 200

interface Own {
  user: Readonly<UserRecord> | undefined
  /** `undefined` as a value: the level is not stored. */
  readonly levels: Map<number, LevelRecord | undefined>
  bytes: number
}

/**
 * The user record and the levels of those who changed something lately, as the last batch left them. An edit of a profile
 * reads nothing else, and a read of the disk waits for a thread: under load longer than all other work on the edit takes.
 *
 * It answers for the user alone whose change is derived. What others' changes read of a user comes from the disk always: else
 * the time of their changes would tell whether the user was active lately [V8].
 *
 * The queue of commits alone may use it: nobody else writes these records, so what it holds is what the disk holds.
 */
export class OwnMemory {
  /** Those used last at the end. */
  readonly #byUser: Map<string, Own> = new Map()
  #bytes = 0

  user(id: string): Readonly<UserRecord> | undefined {
    return this.#used(id)?.user
  }

  /** Whether it is known what is stored of a level. */
  hasLevel({ owner, level }: LevelName): boolean {
    return this.#byUser.get(owner)?.levels.has(level) === true
  }

  level({ owner, level }: LevelName): LevelRecord | undefined {
    return this.#byUser.get(owner)?.levels.get(level)
  }

  /** The disk holds this. */
  keepUser(id: string, user: Readonly<UserRecord>): void {
    const own = this.#of(id)
    own.user = user
    this.#shrink()
  }

  /** The disk holds this. */
  keepLevel({ owner, level }: LevelName, record: LevelRecord | undefined): void {
    const own = this.#of(owner)
    this.#count(own, sizeOf(record) - (own.levels.has(level) ? sizeOf(own.levels.get(level)) : 0))
    own.levels.set(level, record)
    this.#shrink()
  }

  /** A batch with a few changes is on the disk. */
  noteWritten(draft: Draft): void {
    for (const removal of draft.removals()) if (removal.kind === 'levels') this.#forget(removal.owner)
    for (const write of draft.writes()) {
      if (write.kind === 'user' && this.#byUser.has(write.id)) this.keepUser(write.id, write.user ?? noUser)
      if (write.kind === 'level' && this.#byUser.has(write.name.owner)) this.keepLevel(write.name, write.record)
    }
  }

  /** A change of any size is on the disk. What it wrote is read again. */
  forgetWritten(draft: Draft, subjects: readonly string[]): void {
    for (const id of subjects) this.#forget(id)
    for (const id of this.#byUser.keys()) if (draft.isDirty(id)) this.#forget(id)
  }

  /** It is not known what the disk holds. */
  forgetAll(): void {
    this.#byUser.clear()
    this.#bytes = 0
  }

  #used(id: string): Own | undefined {
    const own = this.#byUser.get(id)
    if (!own) return undefined
    this.#byUser.delete(id)
    this.#byUser.set(id, own)
    return own
  }

  #of(id: string): Own {
    const known = this.#used(id)
    if (known) return known
    const own: Own = { user: undefined, levels: new Map(), bytes: 0 }
    this.#byUser.set(id, own)
    this.#count(own, bytesOfUser)
    return own
  }

  #count(own: Own, bytes: number): void {
    own.bytes += bytes
    this.#bytes += bytes
  }

  #forget(id: string): void {
    this.#bytes -= this.#byUser.get(id)?.bytes ?? 0
    this.#byUser.delete(id)
  }

  #shrink(): void {
    for (const id of this.#byUser.keys()) {
      if (this.#bytes <= mostBytes) return
      this.#forget(id)
    }
  }
}

function sizeOf(record: LevelRecord | undefined): number {
  return bytesOfLevel + (record?.fields.length ?? 0)
}
