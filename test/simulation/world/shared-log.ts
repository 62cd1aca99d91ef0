import type { Change, LevelDatabase } from '@kith/server'
import { MemoryLevel } from 'memory-level'
import {
  type Batch,
  encodeCommits,
  encodeNumber,
  Incarnations,
  isSameRun,
  keys,
  leaseMs,
  marginMs,
  type NodeName,
  type Outcome,
  type Standing,
  writeSetOf,
} from '../../support/server-internals.ts'
import { SharedState } from './shared-state.ts'

/**
 * Rows stay in the log at least this long: a batch whose response was lost is sent again for one minute, and an attempt takes
 * at most 15 s, see `link.ts`.
 */
const keptMs = 90_000

interface Row {
  /** When it was written. */
  atMs: number
  first: number
  last: number
  batch: string
  commits: Uint8Array
  writes: ReadonlySet<string>
}

interface NodeRow {
  key: string
  applied: number
  leaseUntilMs: number
}

/** Receives the data in the database before any node does. */
export interface SharedLogWatcher {
  /** A run of the database has begun. */
  opened(): void
  written(changes: readonly Change[]): void
}

/** One opening of the database, and the head at which it began. */
interface Run {
  id: Uint8Array
  start: number
  /** When it began. The first one has always existed. */
  atMs: number
}

/**
 * A database in memory that several nodes have open: records, head and log. It writes a batch by the rules of `commit_batch` in
 * `store/postgres/schema.ts`: records that the batch read must not have been written since, and a batch is written once.
 */
export class SharedLog {
  readonly state = new SharedState()
  readonly cursorKey = new Uint8Array(32).fill(11)
  readonly #identity = Incarnations.newIdentity()
  readonly incarnations: Incarnations = new Incarnations(this.#identity)
  readonly #watcher: SharedLogWatcher
  #head = 0
  #rows: readonly Row[] = []
  #runs: readonly Run[] = []
  #runsBegun = 0
  /** Counts the openings, for connections to an earlier one. */
  openings = 0
  /** The holder of the lock on the head. */
  #holder: object | undefined
  #waiting: (() => void)[] = []
  readonly #nodes = new Map<number, NodeRow>()
  #nodesJoined = 0
  readonly #nowMs: () => number

  constructor(nowMs: () => number, watcher: SharedLogWatcher) {
    this.#nowMs = nowMs
    this.#watcher = watcher
  }

  /** By the clock of the database. */
  get nowMs(): number {
    return this.#nowMs()
  }

  get head(): number {
    return this.#head
  }

  get runs(): readonly Run[] {
    return this.#runs
  }

  rowsAfter(position: number): readonly Row[] {
    return this.#rows.filter(({ last }) => last > position)
  }

  /** Old rows leave the log. */
  trim(): void {
    this.#rows = this.#rows.filter(({ atMs }) => atMs > this.#nowMs() - keptMs)
  }

  /** Whether the log still has everything that follows a position. */
  reachesBackTo(position: number): boolean {
    return this.#head === position || this.#rows.some(({ first, last }) => first <= position + 1 && last > position)
  }

  /** Opens the database, as a primary that starts or is promoted. All earlier connections to it are lost. */
  open(): void {
    this.openings++
    this.#runsBegun++
    const id = new Uint8Array(8)
    new DataView(id.buffer).setUint32(0, this.#runsBegun)
    const atMs = this.#runs.length > 0 ? this.#nowMs() : Number.NEGATIVE_INFINITY
    this.#runs = [...this.#runs, { id, start: this.#head, atMs }]
    this.#holder = undefined
    this.#goOn()
    this.#watcher.opened()
  }

  /** Writes a batch, unless the rules forbid it. Call it while no other owner holds the lock. */
  commit(batch: Batch): Outcome {
    const is = (status: Outcome['status'], last: number = this.#head): Outcome => ({ status, last, isConfirmed: true })
    const written = this.#rows.find(row => row.batch === batch.id)
    if (written) return is('written', written.last)
    if (!isSameRun(batch.run, (this.#runs.at(-1) as Run).id)) return is('conflict')
    if (!this.#hasLease(batch.node)) return is('fenced')
    const known = Number.isFinite(batch.knownUpTo) ? batch.knownUpTo : 0
    if (this.#head < known) return is('history-lost')
    // A batch that was derived from no reads is valid in any state.
    if (batch.reads.size > 0 && !this.reachesBackTo(known)) return is('too-old')
    const isConflict = this.rowsAfter(known).some(({ writes }) => [...batch.reads].some(name => writes.has(name)))
    if (isConflict) return is('conflict')
    const { commits, changes, draft } = batch
    const [first, last] = [this.#head + 1, this.#head + changes.length]
    this.state.apply(draft, { head: this.#head, last, nowMs: this.nowMs, subjects: batch.subjects })
    const writes = new Set(writeSetOf(draft))
    const row = { atMs: this.#nowMs(), first, last, batch: batch.id, commits: encodeCommits(commits, changes), writes }
    this.#rows = [...this.#rows, row]
    this.#head = last
    this.#watcher.written(changes)
    return is('written', last)
  }

  #hasLease({ id, key }: NodeName): boolean {
    const row = this.#nodes.get(id)
    return row !== undefined && row.key === key && row.leaseUntilMs > this.#nowMs()
  }

  renew(name: NodeName, applied: number): boolean {
    const row = this.#nodes.get(name.id)
    if (!row || !this.#hasLease(name)) return false
    const leaseUntilMs = this.#nowMs() + leaseMs
    this.#nodes.set(name.id, { ...row, leaseUntilMs, applied: Math.max(row.applied, applied) })
    return true
  }

  join(before: number | undefined, key: string, applied: number): NodeName {
    const id = before ?? ++this.#nodesJoined
    this.#nodes.set(id, { key, applied, leaseUntilMs: this.#nowMs() + leaseMs })
    return { id, key }
  }

  leave({ id, key }: NodeName): void {
    if (this.#nodes.get(id)?.key === key) this.#nodes.delete(id)
  }

  standing(id: number): Standing {
    const others = [...this.#nodes].filter(([other]) => other !== id).map(([, row]) => row)
    const applied = others.map(row => (row.applied > this.#head ? 0 : row.applied))
    return {
      isSettled: (this.#runs.at(-1) as Run).atMs < this.#nowMs() - leaseMs - marginMs,
      applied: applied.length > 0 ? Math.min(...applied) : undefined,
      hasGone: others.some(row => this.#isGone(row)),
    }
  }

  removeGone(id: number): void {
    for (const [other, row] of this.#nodes) if (other !== id && this.#isGone(row)) this.#nodes.delete(other)
  }

  #isGone({ leaseUntilMs }: NodeRow): boolean {
    return leaseUntilMs < this.#nowMs() - marginMs
  }

  sayApplied({ id, key }: NodeName, position: number): void {
    const row = this.#nodes.get(id)
    if (row?.key === key) this.#nodes.set(id, { ...row, applied: Math.max(row.applied, position) })
  }

  /** Resolves when the caller holds the lock on the head. */
  async lock(owner: object): Promise<void> {
    while (this.#holder) await new Promise<void>(resolve => this.#waiting.push(resolve))
    this.#holder = owner
  }

  /** Resolves when the lock is free. */
  async unlocked(): Promise<void> {
    while (this.#holder) await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  holds(owner: object): boolean {
    return this.#holder === owner
  }

  release(owner: object): void {
    if (this.#holder !== owner) return
    this.#holder = undefined
    this.#goOn()
  }

  #goOn(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Copies the data. Returns a function that restores it. */
  copy(): () => void {
    const [state, head, rows, runs] = [this.state.copy(), this.#head, this.#rows, this.#runs]
    const nodes = [...this.#nodes]
    return () => {
      this.#nodes.clear()
      for (const [id, row] of nodes) this.#nodes.set(id, row)
      this.state.become(state)
      this.#head = head
      this.#rows = rows
      this.#runs = runs
    }
  }

  /** All records in a Level database, for `check`. */
  async asLevel(): Promise<LevelDatabase> {
    const level = new MemoryLevel<string, Uint8Array>({ keyEncoding: 'utf8', valueEncoding: 'view' })
    await level.batch([
      ...this.state.operations(),
      { type: 'put', key: keys.position, value: encodeNumber(this.#head) },
      { type: 'put', key: keys.identity, value: this.#identity },
    ])
    return level as unknown as LevelDatabase
  }
}
