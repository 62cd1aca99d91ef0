import type { Clock } from '@kith/server'
import { decodeFields } from '@kith/shared/wire'
import {
  type Batch,
  type BatchRecords,
  decodeCommits,
  type EventName,
  type LogRead,
  type NodeTable,
  type Outcome,
  type SharedDatabase,
  type StoredEvent,
  type Versioned,
  type WriteBatch,
} from '../../support/server-internals.ts'
import type { Seeded } from './seeded.ts'
import type { SharedLog } from './shared-log.ts'

/**
 * The faults at a node's next batch. The connection breaks: the batch never arrives; or it is written and the response is lost;
 * or the database writes it later. Or no standby confirms it.
 */
export type LinkFault = 'never sent' | 'written' | 'written later' | 'unconfirmed'

type Heard = Parameters<SharedDatabase['listen']>[0]

class ConnectionLost extends Error {}

/** The share of reads that wait, while the link is slow. */
const slowReads = 0.3
/**
 * The node gives up a write that the database has not begun by then. The database does not begin it later, since no client is
 * at the other end.
 */
const writeMs = 15_000
/** A transaction that holds the lock and does nothing ends automatically. */
const idleMs = 5_000

/** A node's connection to the database that all nodes share. While it is slow, its traffic waits for the world. */
export class Link implements SharedDatabase {
  readonly #log: SharedLog
  readonly #clock: Clock
  readonly #randomness: Seeded
  readonly #said: (what: keyof Heard) => void
  isSlow = false
  /** The node is frozen: it receives nothing. */
  isHeld = false
  #waiting: (() => void)[] = []
  readonly #faults: LinkFault[] = []
  #heard: Heard = { written: () => undefined, applied: () => undefined }
  /** Notices of other nodes that this node has not received yet. */
  readonly #notices = new Set<keyof Heard>()
  #isDown = false
  #opening: number
  #runs: SharedLog['runs']

  /** `said`: this node has written, or has applied what others have written. */
  constructor(log: SharedLog, clock: Clock, randomness: Seeded, said: (what: keyof Heard) => void) {
    this.#log = log
    this.#clock = clock
    this.#randomness = randomness
    this.#said = said
    this.#opening = log.openings
    this.#runs = log.runs
  }

  /** How many items wait: responses, and a notice. */
  get waiting(): number {
    if (this.isHeld) return 0
    return this.#waiting.length + this.#notices.size
  }

  step(index: number): void {
    if (index < this.#waiting.length) return this.#waiting.splice(index, 1)[0]?.()
    const [notice] = this.#notices
    if (!notice) return
    this.#notices.delete(notice)
    this.#heard[notice]()
  }

  failNext(fault: LinkFault): void {
    this.#faults.push(fault)
  }

  /** Another node announces that it has written or applied. */
  notice(what: keyof Heard): void {
    if (!this.#isDown) this.#notices.add(what)
  }

  heal(): void {
    this.isSlow = false
    this.#faults.length = 0
    for (const go of this.#waiting.splice(0)) go()
  }

  /** The node is killed. Messages that it had sent may still take effect. */
  kill(): void {
    this.#isDown = true
    this.#notices.clear()
    for (const go of this.#waiting.splice(0)) if (this.#randomness.fraction() < 0.5) go()
    this.#log.release(this)
  }

  /** Resolves when the operation may continue. No operation of a killed node continues. */
  async #wait(chance: number): Promise<void> {
    const isLate = this.isSlow && this.#randomness.fraction() < chance
    if (isLate || this.isHeld) await new Promise<void>(go => this.#waiting.push(go))
  }

  /** The return path to the node. */
  async #back(chance: number, opening: number): Promise<void> {
    await this.#wait(chance)
    if (this.#isDown) await new Promise<never>(() => undefined)
    if (opening !== this.#log.openings) throw new ConnectionLost('the connection was lost')
  }

  /** The opening of the database that the connections reach. If it was opened again, they are new connections. */
  #connect(): number {
    if (this.#opening !== this.#log.openings) this.#runs = this.#log.runs
    this.#opening = this.#log.openings
    return this.#opening
  }

  /** One read of one moment. */
  async #read<T>(read: () => T): Promise<T> {
    const opening = this.#connect()
    await this.#wait(slowReads)
    // The connection is lost. A repeated query gets another one.
    const found = opening === this.#log.openings ? read() : (undefined as T)
    await this.#back(slowReads, opening)
    return found
  }

  get run(): Uint8Array {
    return this.#runs.at(-1)?.id as Uint8Array
  }

  reachOf(run: Uint8Array): number | undefined {
    const index = this.#runs.findIndex(({ id }) => Buffer.compare(id, run) === 0)
    if (index < 0) return undefined
    return this.#runs[index + 1]?.start ?? Number.POSITIVE_INFINITY
  }

  records(): BatchRecords {
    return new LinkRecords(this.#log, read => this.#read(read))
  }

  write: WriteBatch = async batch => {
    const opening = this.#connect()
    const fault = this.#faults.shift()
    const sentAtMs = this.#clock.now()
    const isAlive = (): boolean => this.#clock.now() - sentAtMs < writeMs
    if (fault === 'written later') {
      this.#waiting.push(() => void (isAlive() && this.#execute(batch, opening)))
      throw new ConnectionLost('the connection was lost')
    }
    await this.#wait(1)
    if (fault === 'never sent' || !isAlive()) throw new ConnectionLost('the connection was lost')
    const outcome = await this.#execute(batch, opening)
    if (fault === 'written' || !outcome) throw new ConnectionLost('the connection was lost')
    await this.#back(1, opening)
    return { ...outcome, isConfirmed: fault !== 'unconfirmed' }
  }

  /** `undefined`: the database was opened again, and has no record of the batch. */
  async #execute(batch: Batch, opening: number): Promise<Outcome | undefined> {
    await this.#log.unlocked()
    return opening === this.#log.openings ? this.#log.commit(batch) : undefined
  }

  async alone(work: (write: WriteBatch) => Promise<void>): Promise<void> {
    const opening = this.#connect()
    await this.#log.lock(this)
    const expire = this.#clock.after(idleMs, () => this.#log.release(this))
    try {
      await this.#back(1, opening)
      await work(async batch => {
        await this.#wait(1)
        if (!this.#log.holds(this)) throw new ConnectionLost('the transaction was idle for too long')
        const outcome = this.#log.commit(batch)
        await this.#back(1, opening)
        return outcome
      })
    } finally {
      expire()
      this.#log.release(this)
    }
  }

  logAfter(position: number): Promise<LogRead> {
    return this.#read(() => ({ head: this.#log.head, rows: this.#log.rowsAfter(position), isCut: false }))
  }

  isConnectionLost(error: unknown): boolean {
    return error instanceof ConnectionLost
  }

  say(): void {
    this.#said('written')
  }

  listen(heard: Heard): void {
    this.#heard = heard
  }

  nodes: NodeTable = {
    renew: (name, applied) => this.#read(() => this.#log.renew(name, applied)),
    join: (id, key, applied) => this.#read(() => this.#log.join(id, key, applied)),
    leave: name => this.#read(() => this.#log.leave(name)),
    head: () => this.#read(() => this.#log.head),
    standing: id => this.#read(() => this.#log.standing(id)),
    // There is only one database.
    lookElsewhere: () => Promise.resolve(),
    removeGone: id => this.#read(() => this.#log.removeGone(id)),
    sayApplied: (name, position) =>
      this.#read(() => {
        this.#log.sayApplied(name, position)
        this.#said('applied')
      }),
  }

  outbox: SharedDatabase['outbox'] = {
    next: (line, after) =>
      this.#read(() =>
        this.#log.state.events().find(one => one.event.line === line && isAlive(one) && isAfter(one, after)),
      ),
    waiting: (after, most) =>
      this.#read(() =>
        this.#log.state
          .events()
          .filter(one => isAlive(one) && isAfter(one, after))
          .slice(0, most),
      ),
    find: name => this.#read(() => this.#log.state.event(name)),
    dead: (after, most) =>
      this.#read(() =>
        this.#log.state
          .events()
          .filter(one => !isAlive(one) && isAfter(one, after))
          .slice(0, most),
      ),
    count: () =>
      this.#read(() => {
        const all = this.#log.state.events()
        return { all: all.length, dead: all.filter(one => !isAlive(one)).length }
      }),
    claim: () => Promise.resolve(true),
    release: () => Promise.resolve(),
  }

  async close(): Promise<void> {
    this.#isDown = true
  }

  users: SharedDatabase['users'] = ids => this.#read(() => ids.map(id => this.#log.state.user(id)))

  registeredAfter: SharedDatabase['registeredAfter'] = (id, most) =>
    this.#read(() => {
      const users = [...this.#log.state.users].filter(([other, user]) => other > id && user.registeredAt > 0)
      return users
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .slice(0, most)
        .map(([other, user]): [string, typeof user] => [other, user])
    })

  erasures: SharedDatabase['erasures'] = id => this.#read(() => this.#log.state.erasures(id))

  revocation: SharedDatabase['revocation'] = id =>
    this.#read(() => ({ atMs: this.#log.state.revocation(id).atMs, nowMs: this.#log.nowMs }))

  document: SharedDatabase['document'] = (id, document, since = 0) =>
    this.#read(() => {
      const parts = this.#log.state.document(id, document).filter(({ position }) => position >= since)
      return { version: parts.at(-1)?.position ?? 0, parts: parts.map(({ bytes }) => bytes) }
    })

  views: SharedDatabase['views'] = (viewer, owners, wanted = () => []) =>
    this.#read(() => {
      const { state, head } = this.#log
      const views = owners.map(owner => ({
        viewer: state.user(viewer),
        owner: state.user(owner),
        relation: state.relation(viewer, owner),
      }))
      return { at: head, views, levels: wanted(views).map(({ owner, level }) => state.level(owner, level)) }
    })

  levels: SharedDatabase['levels'] = names =>
    this.#read(() => names.map(({ owner, level }) => this.#log.state.level(owner, level)))

  levelsWithFields: SharedDatabase['levelsWithFields'] = owner =>
    this.#read(() =>
      this.#log.state
        .levelsOf(owner)
        .flatMap(([level, { fields }]) => (Object.keys(decodeFields(fields)).length > 0 ? [level] : [])),
    )

  /** One page for each relation. Each is read in its present state. */
  async *relationsOf(id: string): ReturnType<SharedDatabase['relationsOf']> {
    for (let after: string | undefined = ''; after !== undefined; ) {
      const last: string = after
      const { at, next } = await this.#read(() => ({
        at: this.#log.head,
        next: this.#log.state.relationsOf(id).find(([other]) => other > last),
      }))
      yield { at, relations: next ? [{ owner: next[0], relation: next[1] }] : [] }
      after = next?.[0]
    }
  }

  hasAsked: SharedDatabase['hasAsked'] = (viewer, id) => this.#read(() => this.#log.state.hasAsked(viewer, id))

  changedSince: SharedDatabase['changedSince'] = (since, most) =>
    this.#read(() => {
      if (this.#log.head - since > most || !this.#log.reachesBackTo(since)) return undefined
      const commits = this.#log.rowsAfter(since).flatMap(({ first, commits }) => decodeCommits(commits, first))
      const changed = commits.filter(({ position, levels }) => position > since && levels.size > 0)
      return [...new Set(changed.flatMap(({ subjects }) => subjects.slice(0, 1)))]
    })

  oldestCursor: SharedDatabase['oldestCursor'] = () =>
    this.#read(() => ({ oldest: 0, at: this.#log.head, confirmedMs: 0 }))
}

const isAlive = ({ event }: StoredEvent): boolean => event.failed === undefined

function isAfter({ name }: StoredEvent, after: EventName | undefined): boolean {
  if (!after) return true
  return name.position > after.position || (name.position === after.position && name.index > after.index)
}

type Read = <T>(read: () => T) => Promise<T>

class LinkRecords implements BatchRecords {
  readonly #log: SharedLog
  readonly #ask: Read
  knownUpTo: number = Number.POSITIVE_INFINITY

  constructor(log: SharedLog, ask: Read) {
    this.#log = log
    this.#ask = ask
  }

  #read<Name, Value>(wanted: readonly Name[], recordOf: (name: Name) => Value): Promise<Value[]> {
    return this.#ask(() => {
      this.knownUpTo = Math.min(this.knownUpTo, this.#log.head)
      return wanted.map(recordOf)
    })
  }

  users: BatchRecords['users'] = ids => this.#read(ids, id => this.#log.state.user(id))
  relations: BatchRecords['relations'] = pairs => this.#read(pairs, ({ a, b }) => this.#log.state.relation(a, b))

  async *relationsOf(user: string): ReturnType<BatchRecords['relationsOf']> {
    const [page] = await this.#read([user], id => this.#log.state.relationsOf(id))
    yield page ?? []
  }

  levels: BatchRecords['levels'] = names => this.#read(names, ({ owner, level }) => this.#log.state.level(owner, level))

  hasAsked: BatchRecords['hasAsked'] = lookups =>
    this.#read(lookups, ({ viewer, id }) => this.#log.state.hasAsked(viewer, id))

  erasures: BatchRecords['erasures'] = ids => this.#read(ids, id => this.#log.state.erasures(id))

  events: BatchRecords['events'] = async names =>
    (await this.#read(names, name => this.#log.state.event(name))).filter(one => one !== undefined)

  versions: BatchRecords['versions'] = (wanted: readonly Versioned[]) =>
    this.#read(wanted, ({ user, document }) => ({
      version: this.#log.state.document(user, document).at(-1)?.position ?? 0,
      revokedAt: this.#log.state.revocation(user).position,
    }))
}
