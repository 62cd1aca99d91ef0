import type { Clock } from '../../clock.ts'
import type { CommitNotes } from '../../relations/draft.ts'
import { Unwritable } from '../../relations/unwritable.ts'
import type { CommitListeners } from '../commit-listeners.ts'
import { keys } from './keys.ts'
import type { LevelDatabase } from './level-database.ts'
import type { Operation } from './operations.ts'
import type { PagedReads } from './paged-reads.ts'
import type { ReadGate } from './read-gate.ts'
import { decodeNumber } from './record-codec.ts'
import { writeSynced } from './write-synced.ts'

/** While changes are refused, the interval at which the store checks whether the disk has room again. */
const probeMs = 1_000

export interface RecoveryPort {
  readonly database: LevelDatabase
  readonly disk: PagedReads
  readonly gate: ReadGate
  readonly clock: Clock
  readonly listeners: CommitListeners
  /** Rejects while the disk has no room for what opening the database writes. Absent if there is always room. */
  readonly findRoom: (() => Promise<void>) | undefined
  /** The database was opened again: a batch that seemed lost may be on disk. */
  reopened(): Promise<void>
  /** These commits, which seemed lost, are on disk. */
  recovered(commits: readonly CommitNotes[]): void
  /** Runs work while no change is written, then continues with the queue. Returns `false` if a change is being written now. */
  runBetweenWrites(work: () => Promise<void>): boolean
}

/**
 * A database that recovers from failed writes.
 *
 * A write that fails half-way, for example on a full disk, leaves half a record in LevelDB's log, and LevelDB continues after
 * it. The next recovery would skip what is synced later in that log [D2]. Opening the database again recovers it now, and
 * begins a new log. Opening also writes. While there is no room for that, the database stays open as it is: committed data can
 * be read, and changes are refused.
 */
export class RecoveringLevel {
  readonly #port: RecoveryPort
  /** A write failed since the database was opened. */
  #isDamaged = false
  /** Why changes are refused: the database could not be opened again after a failed write. */
  #refusal: Unwritable | undefined
  /** The batch that failed then. Whether it is on disk is known only after the next opening. */
  #undecided: { commits: readonly CommitNotes[]; last: number } | undefined
  #isClosing = false
  /** Callers that wait until changes are no longer refused. */
  readonly #refused: (() => void)[] = []

  constructor(port: RecoveryPort) {
    this.#port = port
  }

  get refusal(): Unwritable | undefined {
    return this.#refusal
  }

  /** The database must be opened again before the next write. */
  noteDamage(): void {
    this.#isDamaged = true
  }

  /** Resolves when a batch can be written. Rejects while changes are refused. */
  async ready(): Promise<void> {
    if (this.#refusal) throw this.#refusal
    if (this.#isDamaged) await this.#reopen()
  }

  /** Writes a batch, which moves the position to `last`. Rejects if it is not on disk, or if that is not known. */
  async write(
    operations: readonly Operation[],
    { commits, last }: { commits: readonly CommitNotes[]; last: number },
  ): Promise<void> {
    const { database, listeners } = this.#port
    await this.#announce()
    try {
      await writeSynced(database, operations)
    } catch (error) {
      this.#isDamaged = true
      if (await this.#isWrittenAllTheSame(last)) return
      if (this.#refusal) this.#undecided = { commits, last }
      listeners.failed()
      throw this.#refusal ?? error
    }
  }

  /** Writes a batch that is not a commit and that no reader sees. Rejects if it is not on disk, or if that is not known. */
  async writeUnseen(operations: readonly Operation[]): Promise<void> {
    try {
      await writeSynced(this.#port.database, operations)
    } catch (error) {
      this.#isDamaged = true
      throw error
    }
  }

  /** Resolves when a failed write may be tried again, or to `false` if the store closes instead. */
  async writable(): Promise<boolean> {
    if (this.#refusal && !this.#isClosing) await new Promise<void>(resolve => this.#refused.push(resolve))
    return !this.#isClosing
  }

  /**
   * Rejects if a listener does. Then nothing is written, and the other listeners are notified, because they wait for the end of
   * the batch.
   */
  async #announce(): Promise<void> {
    const { listeners } = this.#port
    try {
      await listeners.announce()
    } catch (error) {
      listeners.failed()
      throw error
    }
  }

  /** The store is closing, so there are no more probes. */
  close(): void {
    this.#isClosing = true
    this.#endWaiting()
  }

  #endWaiting(): void {
    for (const resolve of this.#refused.splice(0)) resolve()
  }

  /** Every batch moves the position, so the position on disk shows whether it was written. */
  async #isWrittenAllTheSame(last: number): Promise<boolean> {
    try {
      await this.#reopen()
      return (await this.#positionOnDisk()) === last
    } catch {
      // Nothing is acknowledged. Whether the batch is on disk is known only after the next opening.
      return false
    }
  }

  async #positionOnDisk(): Promise<number | undefined> {
    const bytes = await this.#port.disk.get(keys.position)
    return bytes && decodeNumber(bytes)
  }

  async #reopen(): Promise<void> {
    const { database, gate, findRoom, reopened } = this.#port
    try {
      await findRoom?.()
      await gate.whileClosed(async () => {
        await database.close()
        await database.open()
      })
      await reopened()
      await this.#settleUndecided()
    } catch (error) {
      const reason = new Unwritable(error)
      this.#refuse(reason)
      this.#probeLater()
      throw reason
    }
    this.#isDamaged = false
    this.#refuse(undefined)
    this.#endWaiting()
  }

  #refuse(reason: Unwritable | undefined): void {
    const isNews = this.#refusal?.reason !== reason?.reason
    this.#refusal = reason
    if (isNews) this.#port.listeners.refusing(reason)
  }

  /** Probes without a commit, because there may be none while changes are refused. */
  #probeLater(): void {
    const { clock, runBetweenWrites } = this.#port
    clock.after(probeMs, () => {
      if (!this.#isDamaged || this.#isClosing) return
      // If it fails, changes are still refused, and the next attempt is scheduled.
      const probe = (): Promise<void> => this.#reopen().catch(() => undefined)
      if (!runBetweenWrites(probe)) this.#probeLater()
    })
  }

  /** Settles the batch that failed when changes began to be refused. If it is on disk, it is a normal commit from now on. */
  async #settleUndecided(): Promise<void> {
    if (!this.#undecided) return
    const { commits, last } = this.#undecided
    const isWritten = (await this.#positionOnDisk()) === last
    // If this rejects, the next opening tries again, because a commit on disk must be reported.
    if (isWritten) await this.#announce()
    this.#undecided = undefined
    if (isWritten) this.#port.recovered(commits)
  }
}
