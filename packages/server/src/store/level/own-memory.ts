import type { Draft } from '../../relations/draft.ts'
import { type LevelName, type LevelRecord, noUser, type UserRecord } from '../../relations/records.ts'

/** The bound on the kept records, in bytes as estimated here: the records of some 10,000 users. */
const mostBytes = 16 * 1024 * 1024
/** The approximate size of a user's record, with its overhead. */
const bytesOfUser = 1_000
/** The approximate size of a level's record without its fields. */
const bytesOfLevel = 200

interface Own {
  user: Readonly<UserRecord> | undefined
  /** `undefined` as a value: the level is not stored. */
  readonly levels: Map<number, LevelRecord | undefined>
  bytes: number
}

/**
 * A cache of the user record and the levels of users who recently changed something, as the last batch left them. An edit of a
 * profile reads nothing else. A read of the disk waits for a thread, under load for longer than all other work on the edit
 * takes.
 *
 * It is used only for the user whose change is derived. The records of a user that others' changes read always come from the
 * disk. Otherwise the time of their changes would reveal whether the user was recently active [V8].
 *
 * Only the queue of commits may use it. Nothing else writes these records, so the cache matches the disk.
 */
export class OwnMemory {
  /** The least recently used first. */
  readonly #byUser: Map<string, Own> = new Map()
  #bytes = 0

  user(id: string): Readonly<UserRecord> | undefined {
    return this.#used(id)?.user
  }

  /** Whether the stored state of a level is known. */
  hasLevel({ owner, level }: LevelName): boolean {
    return this.#byUser.get(owner)?.levels.has(level) === true
  }

  level({ owner, level }: LevelName): LevelRecord | undefined {
    return this.#byUser.get(owner)?.levels.get(level)
  }

  /** Keeps a record that is on disk. */
  keepUser(id: string, user: Readonly<UserRecord>): void {
    const own = this.#of(id)
    own.user = user
    this.#shrink()
  }

  /** Keeps a record that is on disk. */
  keepLevel({ owner, level }: LevelName, record: LevelRecord | undefined): void {
    const own = this.#of(owner)
    this.#count(own, sizeOf(record) - (own.levels.has(level) ? sizeOf(own.levels.get(level)) : 0))
    own.levels.set(level, record)
    this.#shrink()
  }

  /** A batch with a few changes is on disk. */
  noteWritten(draft: Draft): void {
    for (const removal of draft.removals()) if (removal.kind === 'levels') this.#forget(removal.owner)
    for (const write of draft.writes()) {
      if (write.kind === 'user' && this.#byUser.has(write.id)) this.keepUser(write.id, write.user ?? noUser)
      if (write.kind === 'level' && this.#byUser.has(write.name.owner)) this.keepLevel(write.name, write.record)
    }
  }

  /** A change of any size is on disk. The records that it wrote are read again. */
  forgetWritten(draft: Draft, subjects: readonly string[]): void {
    for (const id of subjects) this.#forget(id)
    for (const id of this.#byUser.keys()) if (draft.isDirty(id)) this.#forget(id)
  }

  /** The content of the disk is not known. */
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
