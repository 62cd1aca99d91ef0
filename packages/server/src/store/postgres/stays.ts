import type { Clock } from '../../clock.ts'
import type { Stays, StaysPort } from '../../presence/stays.ts'
import type { Database, Statement } from './database.ts'

/** The interval of a node's heartbeats, and the time without one after which other nodes treat its users as gone. */
const beatMs = 3_000
const lateMs = 10_000
/** The delay after which a failed write is retried. */
const retryMs = 1_000
/** The number of users in one statement. */
const mostUsers = 1_000

const sql = {
  attend: "insert into attending (node, late_at) values ($1::uuid, clock_timestamp() + $2::float8 * interval '1 ms')",
  clear: 'delete from stay s where node = $1 or not exists (select from attending a where a.node = s.node)',
  beat: "update attending set late_at = clock_timestamp() + $2::float8 * interval '1 ms' where node = $1 returning node",
  write: `with w as (select * from unnest($2::text[], $3::int[], $4::boolean[]) as w (user_id, sessions, is_online)),
    gone as (delete from stay s using w where s.node = $1 and s.user_id = w.user_id and w.sessions = 0 and not w.is_online),
    kept as (insert into stay (user_id, node, sessions, is_online)
      select w.user_id, $1::uuid, w.sessions, w.is_online from w where w.sessions > 0 or w.is_online
      on conflict (user_id, node) do update set
        sessions = excluded.sessions, is_online = excluded.is_online, is_leaving = false)
    select from attending where node = $1`,
  leaving: 'update stay set is_leaving = true where node = $1 and user_id = any ($2)',
  alone: `select u.id from unnest($2::text[]) as u (id) where not exists (
    select from stay s join attending a using (node) where s.user_id = u.id and s.node <> $1
      and s.node <> all ($3::uuid[]) and s.is_online and not s.is_leaving)`,
  online: `select distinct s.user_id as id from stay s join attending a using (node)
    where s.user_id = any ($2) and s.node <> $1 and s.is_online`,
  nodes: `select s.node::text from stay s join attending a using (node)
    where s.user_id = $2 and s.node <> $1 and s.is_online`,
  sessions: `select coalesce(sum(s.sessions), 0)::int as count from stay s join attending a using (node)
    where s.user_id = $2 and s.node <> $1`,
  /** Each late node is claimed by one of the others, until that node would be late once more. */
  take: `with late as (select node, late_at from attending where late_at < clock_timestamp() and node <> $1
      for update skip locked),
    taken as (update attending a set late_at = clock_timestamp() + $2::float8 * interval '1 ms' from late l
      where a.node = l.node returning a.node, a.late_at)
    select t.node::text, t.late_at::text, s.user_id as id, extract(epoch from l.late_at) * 1000 - $2::float8 as at_ms
    from taken t join late l using (node) left join stay s on s.node = t.node and s.is_online`,
  /** Skips a node that has sent a heartbeat meanwhile. */
  remove: `with gone as (delete from attending a using unnest($2::uuid[], $3::timestamptz[]) as t (node, late_at)
      where a.node = t.node and a.late_at = t.late_at and a.node <> $1 returning a.node)
    delete from stay s using gone where s.node = gone.node`,
  leave: 'with gone as (delete from attending where node = $1) delete from stay where node = $1',
} as const

/** A late node, and one of the users who are online there, if there are any. */
interface Late {
  node: string
  /** Until when it is claimed. */
  late_at: string
  id: string | null
  /** The time of its last heartbeat. */
  at_ms: string
}

/**
 * Stays in an unlogged table. Changes during one statement are written by the next one, so a thousand devices that connect
 * together need few statements. All writes of a node are made one after the other.
 */
export class PostgresStays implements Stays {
  readonly #database: Database
  readonly #node: string
  readonly #clock: Clock
  readonly #log: (error: unknown) => void
  #port: StaysPort | undefined
  #changed: Set<string> = new Set()
  /** Users who count as online here according to what is written for other nodes. */
  readonly #written: Set<string> = new Set()
  #writing: Promise<void> | undefined
  /** Write statements, one after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  /** When this node may remove others: it must itself have been able to send heartbeats for as long as they had. */
  #reapsAtMs = 0
  #beatAtMs = 0
  #removing: Promise<void> | undefined
  #stop: () => void = () => undefined
  #cancelRetry: () => void = () => undefined
  #isClosed = false

  constructor(options: { database: Database; node: string; clock: Clock; failed(error: unknown): void }) {
    this.#database = options.database
    this.#node = options.node
    this.#clock = options.clock
    this.#log = options.failed
  }

  async start(port: StaysPort): Promise<void> {
    this.#port = port
    await this.#inTurn(() => this.#attend())
    this.#stop = this.#clock.every(beatMs, () => this.#beatInTurn())
  }

  again(): Promise<void> {
    return this.#inTurn(() => this.#beat())
  }

  changed(user: string): void {
    this.#changed.add(user)
    if (this.#port && !this.#isClosed) this.#writing ??= this.#writeAll()
  }

  async onlineElsewhere(users: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set((await this.#rows<{ id: string }>('online', users)).map(({ id }) => id))
  }

  async nodesOf(user: string): Promise<readonly string[]> {
    return (await this.#rows<{ node: string }>('nodes', user)).map(({ node }) => node)
  }

  async sessionsElsewhere(user: string): Promise<number> {
    return (await this.#rows<{ count: number }>('sessions', user))[0]?.count ?? 0
  }

  /**
   * First writes that the users leave, then looks for other nodes. If two nodes do this together, one or both find no other.
   */
  async leave(users: readonly string[]): Promise<ReadonlySet<string>> {
    await this.#inTurn(() => this.#rows('leaving', users))
    return this.#alone(users)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stop()
    this.#cancelRetry()
    // If the database cannot be reached, other nodes will find this one late.
    await this.#inTurn(() => this.#rows('leave')).catch(error => this.#log(error))
    this.#port?.stirred([...this.#written])
    await this.#database.close()
  }

  /** Returns the users who are online on no node but this one and `gone`. */
  async #alone(users: readonly string[], gone: readonly string[] = []): Promise<ReadonlySet<string>> {
    return new Set((await this.#rows<{ id: string }>('alone', users, gone)).map(({ id }) => id))
  }

  /** Called at the start, and when another node found this one late or the database lost the table. Writes everything. */
  async #attend(): Promise<void> {
    this.#written.clear()
    for (const user of this.#port?.localUsers() ?? []) this.changed(user)
    await this.#rows('attend', lateMs)
    await this.#rows('clear')
    this.#beatAtMs = this.#clock.now()
    this.#reapsAtMs = this.#beatAtMs + lateMs
  }

  #beatInTurn(): void {
    this.#cancelRetry()
    this.again().catch(error => {
      this.#log(error)
      this.#retryBeat()
    })
  }

  /** A primary that was promoted has an empty table. Retries soon, because until then no other node finds this one's users. */
  #retryBeat(): void {
    if (this.#isClosed) return
    this.#cancelRetry()
    this.#cancelRetry = this.#clock.after(retryMs, () => this.again().catch(() => this.#retryBeat()))
  }

  async #beat(): Promise<void> {
    if (this.#isClosed) return
    const beganAtMs = this.#clock.now()
    if ((await this.#rows('beat', lateMs)).length === 0) await this.#attend()
    // If the database was unreachable, no node could send heartbeats.
    if (Math.abs(this.#clock.now() - this.#beatAtMs) > 2 * beatMs) this.#reapsAtMs = this.#clock.now() + lateMs
    this.#beatAtMs = this.#clock.now()
    if (beganAtMs < this.#reapsAtMs) return
    if (this.#removing) return
    const found = await this.#rows<Late>('take', lateMs)
    if (found.length === 0) return
    // Not in turn: this node must continue its heartbeats until the last-seen times have been recorded.
    this.#removing = this.#removeLate(found)
      .catch(error => this.#log(error))
      .finally(() => {
        this.#removing = undefined
      })
  }

  /**
   * First records the last-seen times of these nodes' users, then removes the nodes. If this node ends between the two, or
   * cannot write, another node claims them, and records the same.
   */
  async #removeLate(found: readonly Late[]): Promise<void> {
    const nodes = new Map(found.map(({ node, late_at: lateAt }) => [node, lateAt]))
    const atMsByUser = new Map<string, number>()
    for (const { id, at_ms: atMs } of found) {
      if (id !== null) atMsByUser.set(id, Math.max(atMsByUser.get(id) ?? 0, Number(atMs)))
    }
    const alone = await this.#alone([...atMsByUser.keys()], [...nodes.keys()])
    const gone = [...atMsByUser].flatMap(([user, atMs]) =>
      alone.has(user) && this.#port?.localStay(user).isOnline === false ? [{ user, atMs }] : [],
    )
    if (!(await this.#port?.died(gone)) || this.#isClosed) return
    await this.#rows('remove', [...nodes.keys()], [...nodes.values()])
    this.#port?.parted(gone.map(({ user }) => user))
  }

  async #writeAll(): Promise<void> {
    while (this.#changed.size > 0 && !this.#isClosed) {
      const users = [...this.#changed].slice(0, mostUsers)
      for (const user of users) this.#changed.delete(user)
      try {
        await this.#inTurn(() => this.#write(users))
      } catch (error) {
        this.#log(error)
        for (const user of users) this.#changed.add(user)
        if (!this.#isClosed) await new Promise<void>(resolve => this.#clock.after(retryMs, resolve))
      }
    }
    // No `await` between the last check of the changes and this reset, so a later change starts a new loop.
    this.#writing = undefined
  }

  async #write(users: readonly string[]): Promise<void> {
    const port = this.#port as StaysPort
    const stays = users.map(user => port.localStay(user))
    const columns = [stays.map(({ sessions }) => sessions), stays.map(({ isOnline }) => isOnline)]
    if ((await this.#rows('write', users, ...columns)).length === 0) return this.#attend()
    const stirred = users.filter((user, index) => this.#written.has(user) !== stays[index]?.isOnline)
    for (const user of stirred) if (!this.#written.delete(user)) this.#written.add(user)
    if (stirred.length > 0) port.stirred(stirred)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  #rows<Row>(name: keyof typeof sql, ...values: unknown[]): Promise<Row[]> {
    const statement: Statement = { name: `kith-stay-${name}`, text: sql[name], values: [this.#node, ...values] }
    return this.#database.rows<Row>(statement)
  }
}
