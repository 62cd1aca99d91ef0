import { type LevelDatabase, type Store, systemClock } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { grantKey, profileKey, profileRoot } from '@kith/shared'
import * as encoding from 'lib0/encoding'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { accountsOver } from '../support/account-world.ts'
import { openDatabaseProxy } from '../support/database-proxy.ts'
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import {
  checkDatabase,
  compactDatabase,
  copy,
  Database,
  following,
  Hosts,
  keys,
  migrate,
  newUser,
  openPostgresStore,
  PostgresCarrier,
  rosterChange,
  type SchemaStep,
  schemaSteps,
  storeOn,
  userChange,
  withDatabase,
} from '../support/server-internals.ts'
import { limitsWith, newDatabase } from '../support/stores.ts'

// A database is created for the file, which takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const isInstalled = (await findPostgres()) !== undefined

// In CI, a missing PostgreSQL is a failure.
describe.skipIf(!isInstalled && !process.env['CI'])('a PostgreSQL database', () => {
  let postgres: PostgresServer

  beforeAll(async () => {
    postgres = await startPostgres()
  })

  afterAll(() => postgres?.stop())

  const clock = new TestClock()

  async function migrated(): Promise<{ url: string; client: pg.Client }> {
    const url = await postgres.newUrl()
    await migrate(url)
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    onTestFinished(() => client.end())
    return { url, client }
  }

  async function opened(url: string): Promise<Store> {
    const store = await openPostgresStore(url, { limits: limitsWith(), clock })
    onTestFinished(() => store.close())
    return store
  }

  /** Writes a history of some users: grants, a block, an erased account, revoked tokens, many edits. */
  async function play(store: Store): Promise<void> {
    const { accounts, device } = accountsOver(store, clock)
    const [alice, bob, carol] = [device('alice'), device('bob'), device('carol')]
    for (const one of [alice, bob, carol]) one.connect()
    alice.edit([
      { root: 'contacts', key: 'bob', value: true },
      { root: 'grants', key: grantKey(2, 'bob'), value: true },
      { root: 'blocked', key: 'carol', value: true },
      { root: profileRoot, key: profileKey(2, 'writer-of-alice', 'phone'), value: '+441632960001' },
    ])
    for (const name of ['Ada', 'Ada L.', 'Ada Lovelace']) {
      alice.edit([{ root: profileRoot, key: profileKey(0, 'writer-of-alice', 'name'), value: name }])
      await accounts.idle()
    }
    bob.edit([{ root: 'subscriptions', key: 'alice', value: true }])
    carol.edit([{ root: 'subscriptions', key: 'alice', value: true }])
    await accounts.idle()
    await store.commit({ type: 'pair', a: 'alice', b: 'bob', isPaired: true })
    await store.commit({ type: 'revoke', user: 'bob' })
    await store.commit({ type: 'erase', user: 'carol' })
  }

  async function folder(): Promise<LevelDatabase> {
    const database = await newDatabase('memory')
    await play(await storeOn(database, { limits: limitsWith(), clock }))
    return database
  }

  const checked = (url: string) => withDatabase(url, true, database => checkDatabase(database))
  const copied = (url: string, source: LevelDatabase) => withDatabase(url, true, database => copy(source, database))

  test('[D4] check finds nothing in a database that a node wrote, and names what a row says wrong', async () => {
    const { url, client } = await migrated()
    await play(await opened(url))
    const leftovers = { relations: 0, lookups: 0, days: 0, changes: 0, logs: 0, declined: 0, users: 0, tokens: 0 }
    expect(await checked(url)).toEqual({ users: 3, relations: 3, leftovers, findings: [], faults: [] })
    await client.query(
      "update users set record = jsonb_set(record::jsonb, '{audience}', '\"contacts\"')::text where id = 'alice'",
    )
    await client.query("delete from level where owner = 'alice' and level = 2")
    const { findings } = await checked(url)
    const told = findings.map(({ user, what }) => `${user}: ${what}`)
    expect(told).toContain('alice: audience is contacts, not everyone')
    expect(told).toContain('alice: level 2 is missing')
  })

  test('[D4] check names a gap in the log of commits, and a head that is beyond its end', async () => {
    const { url, client } = await migrated()
    await play(await opened(url))
    const { rows } = await client.query(
      'delete from log where last = (select last from log order by last offset 1 limit 1) returning first, last',
    )
    expect((await checked(url)).faults).toEqual([
      `the log has nothing between commits ${rows[0].first - 1} and ${Number(rows[0].last) + 1}`,
    ])
    await client.query('update head set position = position + 1')
    expect((await checked(url)).faults.at(-1)).toMatch(/^the log ends at commit \d+, and the head is \d+$/)
  })

  test('[V5] compact leaves no overwritten value in a document, while a node goes on writing it', async () => {
    const { url, client } = await migrated()
    const store = await opened(url)
    await play(store)
    const holds = async (text: string): Promise<boolean> => {
      const { rows } = await client.query('select 1 from document where position($1::bytea in update) > 0', [
        Buffer.from(text),
      ])
      return rows.length > 0
    }
    expect(await holds('Ada L.')).toBe(true)
    expect(await withDatabase(url, true, database => compactDatabase(database))).toEqual({ documents: 4, left: 0 })
    expect(await holds('Ada L.')).toBe(false)
    expect(await holds('Ada Lovelace')).toBe(true)
    const { accounts, device } = accountsOver(store, clock)
    const alice = device('alice')
    alice.connect()
    alice.edit([{ root: profileRoot, key: profileKey(0, 'writer-of-alice', 'about'), value: 'Countess' }])
    await accounts.idle()
    expect(await checked(url)).toMatchObject({ findings: [], faults: [] })
  })

  test('[V5][D4] compact folds the documents of every user, and check looks at every user, beyond one page of them', async () => {
    const { url, client } = await migrated()
    const store = await opened(url)
    const users = Array.from({ length: 260 }, (_, index) => `user-${String(index).padStart(3, '0')}`)
    const { accounts, device } = accountsOver(store, clock)
    for (const user of users) {
      const one = device(user)
      one.connect()
      one.edit([{ root: 'contacts', key: 'alice', value: true }])
      one.edit([{ root: 'labels', key: 'alice', value: 'Alice' }])
    }
    await accounts.idle()
    expect(await withDatabase(url, true, database => compactDatabase(database))).toEqual({ documents: 520, left: 0 })
    expect(Number((await client.query('select count(*) from document')).rows[0].count)).toBe(260)
    expect(await checked(url)).toMatchObject({ users: 261, findings: [], faults: [] })
    await client.query("delete from relation where a = 'user-259'")
    expect((await checked(url)).findings.map(({ user }) => user)).toContain('user-259')
  })

  test('[V5] compact leaves a document alone that was written in place of what it read', async () => {
    const { url, client } = await migrated()
    await play(await opened(url))
    const before = await client.query(
      "select position, update from document where id = 'alice' and name = 1 order by position",
    )
    const folded = await client.query("select fold_document('alice', 1::smallint, $1, $2, '\\x00') as done", [
      before.rows.length - 1,
      before.rows.at(-1).position,
    ])
    expect(folded.rows[0].done).toBe(false)
    expect(
      (await client.query("select position, update from document where id = 'alice' and name = 1 order by position"))
        .rows,
    ).toEqual(before.rows)
  })

  test('[D4][D7] a data folder that is copied has the same users, views, incarnations and runs in the database', async () => {
    const source = await newDatabase('memory')
    const before = await storeOn(source, { limits: limitsWith(), clock })
    await play(before)
    const { url } = await migrated()
    expect(await copied(url, source)).toMatchObject({ isResumed: false })
    expect(await checked(url)).toMatchObject({ users: 3, relations: 3, findings: [], faults: [] })
    const after = await opened(url)
    expect(after.position).toBe(before.position)
    for (const user of ['alice', 'bob', 'carol']) {
      expect(await after.user(user)).toEqual(await before.user(user))
      expect(await after.relations(user)).toEqual(await before.relations(user))
      expect((await after.revocation(user)).atMs).toBe((await before.revocation(user)).atMs)
      expect((await after.incarnation(user, new Uint8Array())).current).toEqual(
        (await before.incarnation(user, new Uint8Array())).current,
      )
    }
    expect(new Uint8Array(after.cursorKey)).toEqual(new Uint8Array(before.cursorKey))
    expect(after.reachOf(before.run)).toBe(before.position)
    await play(after)
    expect(await checked(url)).toMatchObject({ findings: [], faults: [] })
  })

  /** A database whose iteration ends after some entries, as when a process is killed. */
  function breaksAfter(source: LevelDatabase, entries: number): LevelDatabase {
    return new Proxy(source, {
      get(target, name) {
        const value = Reflect.get(target, name)
        if (name !== 'iterator') return typeof value === 'function' ? value.bind(target) : value
        return async function* (options: object) {
          let left = entries
          for await (const entry of target.iterator(options)) {
            if (left-- === 0) throw new Error('killed')
            yield entry
          }
        }
      },
    })
  }

  test('[D4] a copy that was broken off keeps nodes from the database, and goes on where it was', async () => {
    const source = await folder()
    const { url } = await migrated()
    await expect(copied(url, breaksAfter(source, 12))).rejects.toThrow('killed')
    await expect(openPostgresStore(url, { limits: limitsWith(), clock })).rejects.toThrow(
      'a copy to this database is not finished: run kith-server copy again',
    )
    expect(await copied(url, source)).toMatchObject({ isResumed: true })
    expect(await checked(url)).toMatchObject({ users: 3, relations: 3, findings: [], faults: [] })
  })

  test('[D4] a copy begins again when a server wrote to the folder after it was broken off', async () => {
    const source = await folder()
    const { url } = await migrated()
    await expect(copied(url, breaksAfter(source, 12))).rejects.toThrow('killed')
    await (await storeOn(source, { limits: limitsWith(), clock })).commit({ type: 'erase', user: 'bob' })
    expect(await copied(url, source)).toMatchObject({ isResumed: false })
    expect(await checked(url)).toMatchObject({ findings: [], faults: [] })
    expect((await (await opened(url)).user('bob')).registeredAt).toBe(0)
  })

  test('[D4] a copy refuses a folder of a later format, whose new records it would lose', async () => {
    const { url, client } = await migrated()
    const source = await folder()
    const put = (key: string, value: string) => source.put(key, new TextEncoder().encode(value))
    await put(keys.format, '6')
    await put('new\u0000a', 'b')
    await expect(withDatabase(url, true, database => copy(source, database))).rejects.toThrow(
      'the folder has format 6, and this version of Kith can copy formats up to 5, so nothing was copied: ' +
        'copy it with the version that wrote it, or a later one',
    )
    expect((await client.query('select from users')).rowCount).toBe(0)
  })

  test('[D4] a copy refuses a database that has users, and a record that did not arrive whole', async () => {
    const source = await folder()
    const used = await migrated()
    await play(await opened(used.url))
    await expect(copied(used.url, source)).rejects.toThrow('the database has users already')
    const { url, client } = await migrated()
    await client.query(`create function spoil() returns trigger language plpgsql as $$
      begin new.fields := new.fields || '\\x00'; return new; end $$`)
    await client.query('create trigger spoil before insert on level for each row execute function spoil()')
    await expect(copied(url, source)).rejects.toThrow(
      /of \d+ records of level \d+ were copied right: run the copy again/,
    )
  })

  test('[D1] a database that may lose what it confirms is refused, and one without a standby on request', async () => {
    const { url } = await migrated()
    const options = { limits: limitsWith(), clock }
    const warnings: string[] = []
    const store = await openPostgresStore(url, { ...options, warn: warning => warnings.push(warning) })
    await store.close()
    expect(warnings).toEqual([expect.stringContaining('a failover may lose what was answered')])
    await expect(openPostgresStore(url, { ...options, requiresStandby: true })).rejects.toThrow(
      'set synchronous_standby_names, or KITH_DATABASE_REQUIRE_STANDBY=false',
    )
    const careless = new URL(url)
    careless.searchParams.set('options', `${careless.searchParams.get('options')} -csynchronous_commit=off`)
    await expect(openPostgresStore(careless.href, options)).rejects.toThrow('synchronous_commit = off')
  })

  test('[D1] a node that cannot join the others leaves no connection open', async () => {
    const { url, client } = await migrated()
    await client.query('alter table node rename to elsewhere')
    await expect(openPostgresStore(url, { limits: limitsWith(), clock })).rejects.toThrow(
      'relation "node" does not exist',
    )
    const open = "select count(*)::int as n from pg_stat_activity where application_name like 'kith%'"
    await expect.poll(async () => (await client.query(open)).rows[0].n).toBe(0)
  })

  test('[F1] of the days that are over for 90 days the last is kept, and the oldest cursor is the same', async () => {
    const { url, client } = await migrated()
    const own = new TestClock()
    const store = await openPostgresStore(url, { limits: limitsWith(), clock: own })
    onTestFinished(() => store.close())
    for (let day = 0; day < 120; day++) {
      await store.commit(userChange(`user ${day % 5}`, { restricted: day % 2 === 0 }))
      own.leap(86_400_000)
    }
    const before = await store.oldestCursor()
    expect(before).toBe(30)
    own.move(10_000)
    const count = async (): Promise<number> => (await client.query('select count(*)::int as n from day')).rows[0].n
    await expect.poll(count).toBe(90)
    expect(await store.oldestCursor()).toBe(before)
  })

  test('[F1] a clock that is far ahead for two minutes, or was a year behind, makes no cursor too old', async () => {
    const { url, client } = await migrated()
    const own = new TestClock()
    const store = await openPostgresStore(url, { limits: limitsWith(), clock: own })
    onTestFinished(() => store.close())
    const observe = (): Promise<unknown> => client.query('select begin_lapsing($1)', [own.now()])
    for (let day = 0; day < 10; day++) {
      await store.commit(userChange('daily', { restricted: day % 2 === 0 }))
      await observe()
      own.leap(86_400_000)
    }
    own.leap(1_000 * 86_400_000 - 60_000 - (own.now() % 86_400_000))
    for (let look = 0; look < 2; look++) {
      await observe()
      own.leap(120_000)
    }
    own.leap(-1_000 * 86_400_000)
    await observe()
    own.leap(86_400_000)
    await observe()
    expect(await store.oldestCursor()).toBe(0)
    own.leap(-365 * 86_400_000)
    await store.commit(userChange('behind'))
    own.leap(365 * 86_400_000)
    expect(await store.oldestCursor()).toBe(0)
    expect(store.confirmedMs).toBe(own.now() - 86_400_000)
  })

  test('[F1][S4] records that no device needs are removed once a day, and older cursors are not served', async () => {
    const { url, client } = await migrated()
    const own = new TestClock()
    const store = await openPostgresStore(url, { limits: limitsWith(), clock: own })
    onTestFinished(() => store.close())
    const values = async (text: string): Promise<unknown[]> => {
      // Periodic work of every 10 s is skipped while it runs.
      own.move(10_000)
      return (await client.query(text)).rows.map(row => row.value)
    }
    const pass = async (): Promise<void> => {
      own.leap(86_400_000)
      await store.commit(userChange('daily'))
      own.move(10_000)
    }
    for (const user of ['alice', 'dora']) await store.commit(userChange(user))
    await store.commit(following('bob', 'alice', 'carol', 'dora'))
    for (const owner of ['alice', 'stranger']) await store.commit({ type: 'lookup', user: 'bob', owner })
    const { position } = await store.commit(rosterChange('bob', { alice: {}, dora: {} }))
    await client.query("update relation set record = substring(record for 6) || $1 where b = 'dora'", [
      Buffer.from(encodeVarUint(own.now() + 89 * 86_400_000)),
    ])
    for (let day = 0; day < 91; day++) await pass()
    const state = 'select lapsing::int as value from store'
    await expect.poll(() => values(state)).toEqual([await store.oldestCursor()])
    expect(await values('select lapsed::int as value from store')).toEqual([0])
    const relations = "select a || '/' || b as value from relation order by 1"
    expect(await values(relations)).toEqual(['bob/alice', 'bob/carol', 'bob/dora', 'carol/bob'])
    const asked = 'select id as value from asked order by 1'
    expect(await values(asked)).toEqual(['alice', 'carol', 'dora', 'stranger'])
    const confirmedDay = Math.floor(own.now() / 86_400_000)
    await client.query('update asked set day = $1', [confirmedDay - 90])
    await pass()
    await expect.poll(() => values('select confirmed_ms / 86400000 as value from store')).toEqual([`${confirmedDay}`])
    expect(await values(asked)).toEqual(['alice', 'carol', 'dora', 'stranger'])
    await client.query('update asked set day = $1', [confirmedDay - 91])
    await pass()
    await expect.poll(() => values(relations)).toEqual(['bob/carol', 'bob/dora', 'carol/bob'])
    await expect.poll(() => values(asked)).toEqual(['carol'])
    const leftovers = async (): Promise<unknown> => (await checked(url)).leftovers
    await expect
      .poll(leftovers)
      .toEqual({ relations: 0, lookups: 0, days: 0, changes: 0, logs: 0, declined: 0, users: 0, tokens: 0 })
    // As if an interrupted run had left them.
    await client.query("insert into relation select 'alice', 'stranger', 1, 0, record from relation where b = 'dora'")
    await client.query("update relation set record = '\\x00000000000000' where a = 'alice'")
    await client.query("insert into asked (viewer, id, day) values ('bob', 'stranger', $1)", [confirmedDay - 91])
    await client.query('insert into day select start_ms - 86400000, position from day order by start_ms limit 1')
    const { registeredAt: _, levels: __, ...rest } = newUser()
    const blank = JSON.stringify(rest)
    await client.query("insert into users (id, registered_at, levels, record) values ('stranger', 0, '{}', $1)", [
      blank,
    ])
    expect(await leftovers()).toMatchObject({ relations: 1, lookups: 1, days: 1, users: 1 })
    await client.query("delete from users where id = 'stranger'")
    await client.query("delete from relation where a = 'alice'")
    own.leap(-60 * 86_400_000)
    expect(await store.oldestCursor()).toBeGreaterThanOrEqual(position)
  })

  const present = schemaSteps.length
  const later = present + 1
  /** The `min_reader` of the present schema. */
  const least = schemaSteps.at(-1)?.minReader as number
  const laterSteps = (minReader: number): SchemaStep[] => [
    ...schemaSteps,
    { sql: 'create table later (one int)', minReader },
  ]

  test('[D4] a database that a later version migrated is refused by its min_reader, or opened', async () => {
    const { url } = await migrated()
    expect(await migrate(url, laterSteps(present))).toEqual({ from: present, to: later })
    await (await openPostgresStore(url, { limits: limitsWith(), clock })).close()
    expect(await migrate(url)).toEqual({ from: later, to: later })
    const newer = await migrated()
    await migrate(newer.url, laterSteps(later))
    const advice =
      `has version ${later} of the schema, which version ${later} and later ones can read, and this version of Kith knows ${present}: ` +
      'run the version of Kith that migrated it, or a later one'
    await expect(openPostgresStore(newer.url, { limits: limitsWith(), clock })).rejects.toThrow(advice)
    await expect(migrate(newer.url)).rejects.toThrow(advice)
    await expect(checked(newer.url)).rejects.toThrow(advice)
  })

  test('[D4] a migration says which step it has begun, and leaves the database as it was when one fails', async () => {
    const { url, client } = await migrated()
    const told: number[][] = []
    const tell = (...one: number[]): void => void told.push(one)
    await migrate(url, laterSteps(present), tell)
    expect(told).toEqual([[later, later]])
    const failing = [...laterSteps(present), { sql: 'create table later (two int)', minReader: present }]
    await expect(migrate(url, failing, tell)).rejects.toThrow('already exists')
    expect(told).toEqual([
      [later, later],
      [later + 1, later + 1],
    ])
    expect((await client.query('select version from schema_version')).rows).toEqual([{ version: later }])
  })

  test('[R4] nodes of before generations may not use a database, since any document may be refounded', async () => {
    const { client } = await migrated()
    expect((await client.query('select version, min_reader from schema_version')).rows).toEqual([
      { version: present, min_reader: 6 },
    ])
  })

  test('[D4] a database of a version without min_reader is readable by its own version, and gets one', async () => {
    const { url, client } = await migrated()
    await client.query('alter table schema_version drop column min_reader')
    await (await openPostgresStore(url, { limits: limitsWith(), clock })).close()
    await migrate(url)
    expect((await client.query('select * from schema_version')).rows).toEqual([
      { one: true, version: present, min_reader: null },
    ])
  })

  test('[D4] a migration that nodes which run could not go on with waits until they are stopped', async () => {
    const { url, client } = await migrated()
    const store = await openPostgresStore(url, { limits: limitsWith(), clock })
    await expect(migrate(url, laterSteps(later))).rejects.toThrow(
      '1 node runs that cannot go on with the new schema: stop all nodes, then run kith-server migrate again',
    )
    expect((await client.query("select to_regclass('later') as found")).rows).toEqual([{ found: null }])
    await migrate(url, laterSteps(least))
    await store.commit(userChange('alice'))
    await store.close()
  })

  /** A migration that stops before its last step until `resume` is called. */
  async function slowMigration(minReader: number) {
    const { url, client } = await migrated()
    await client.query('select pg_advisory_lock(1)')
    const sql = 'select pg_advisory_xact_lock(1); create table later (one int)'
    const begin = async () => {
      const migrating = migrate(url, [...schemaSteps, { sql, minReader }])
      const waiting = "select from pg_locks where locktype = 'advisory' and objid = 1 and not granted"
      await expect.poll(async () => (await client.query(waiting)).rowCount).toBe(1)
      return { migrating, resume: () => client.query('select pg_advisory_unlock(1)') }
    }
    return { url, client, begin }
  }

  const outdated = `has version ${later} of the schema, which version ${later} and later ones can read`

  test('[D4] a node whose lease ran out while the schema was migrated beyond it gets no lease again, and reports why', async () => {
    const { url, client } = await migrated()
    const leaseClock = new TestClock()
    const reasons: string[] = []
    const onOutdated = (error: Error): void => void reasons.push(error.message)
    const store = await openPostgresStore(url, { limits: limitsWith(), clock, leaseClock, onOutdated })
    onTestFinished(() => store.close())
    await store.commit(userChange('alice'))
    // The process is paused.
    await client.query('update node set lease_until = clock_timestamp()')
    await migrate(url, laterSteps(later))
    leaseClock.move(2_500)
    await expect.poll(() => reasons[0]).toContain(outdated)
    expect(store.lease.isCurrent()).toBe(false)
    const leases = 'select from node where lease_until > clock_timestamp()'
    expect((await client.query(leases)).rowCount).toBe(0)
  })

  test('[D4] a node that starts while the schema is being migrated beyond it waits, and is then refused', async () => {
    const { url, client, begin } = await slowMigration(later)
    // The run of the database is known, so that the node waits only when it joins.
    await (await openPostgresStore(url, { limits: limitsWith(), clock })).close()
    const { migrating, resume } = await begin()
    const opening = openPostgresStore(url, { limits: limitsWith(), clock })
    const refused = expect(opening).rejects.toThrow(outdated)
    const joining = "select from pg_locks where relation = 'node'::regclass and not granted"
    await expect.poll(async () => (await client.query(joining)).rowCount).toBe(1)
    await resume()
    await migrating
    await refused
    expect((await client.query('select from node')).rowCount).toBe(0)
  })

  test('[D4] nodes keep their leases, and new ones join, while the schema is migrated to a version that they can use', async () => {
    const { url, client, begin } = await slowMigration(least)
    const store = await opened(url)
    const { migrating, resume } = await begin()
    const until = async () => (await client.query('select lease_until as at from node')).rows[0].at as Date
    const before = await until()
    await expect.poll(until).not.toEqual(before)
    await (await openPostgresStore(url, { limits: limitsWith(), clock })).close()
    await resume()
    await migrating
    await store.commit(userChange('alice'))
  })

  test('[D4] min_reader is not raised while any node runs, since a node may be of an earlier version than the schema', async () => {
    const { url } = await migrated()
    const store = await opened(url)
    await migrate(url, laterSteps(least))
    const raised = [...laterSteps(least), { sql: 'create table latest (one int)', minReader: later }]
    await expect(migrate(url, raised)).rejects.toThrow('1 node runs')
    await store.commit(userChange('alice'))
  })

  test('[D4] a record with more than this version knows is never written without it', async () => {
    const { url, client } = await migrated()
    const store = await opened(url)
    for (const user of ['alice', 'bob']) await store.commit(userChange(user))
    await store.commit({ type: 'pair', a: 'alice', b: 'bob', isPaired: true })
    await client.query("update users set record = jsonb_set(record::jsonb, '{shard}', '3')::text where id = 'bob'")
    await client.query("update relation set record = record || '\\x00'::bytea where a = 'alice'")
    const unknown = 'which this version of Kith does not know: run the version that wrote it, or a later one'
    await expect(store.user('bob')).rejects.toThrow(`"shard", ${unknown}`)
    await expect(store.relations('alice')).rejects.toThrow(`a relation with bytes at its end, ${unknown}`)
    await expect(store.commit(userChange('bob', { restricted: true }))).rejects.toThrow('"shard"')
  })

  test('[D1] a connection to a database that is gone without a word is taken for lost, and another is opened', async () => {
    const { url } = await migrated()
    const proxy = await openDatabaseProxy(url)
    const database = new Database(proxy.url, { most: 1, prepares: true, timeoutMs: 300 })
    onTestFinished(() => database.close())
    const head = { name: 'kith-head', text: 'select position from head' }
    expect(await database.rows(head)).toEqual([{ position: 0 }])
    proxy.silence()
    await expect(database.rows(head)).rejects.toThrow('timeout')
    expect(await database.rows(head)).toEqual([{ position: 0 }])
  })

  test('[V8] messages between nodes go on when their connection to the database is gone without a word', async () => {
    const { url } = await migrated()
    const proxy = await openDatabaseProxy(url)
    const heard: string[] = []
    const [near, far] = [
      new PostgresCarrier(proxy.url, systemClock, 300),
      new PostgresCarrier(url, systemClock, 10_000),
    ]
    for (const carrier of [near, far]) {
      onTestFinished(() => carrier.close())
      await carrier.connect()
    }
    await far.subscribe('news', bytes => heard.push(String(bytes)))
    let gaps = 0
    near.port = { gap: () => gaps++, failed: () => undefined }
    proxy.silence()
    near.publish('news', Buffer.from('lost'))
    await expect.poll(() => gaps, { timeout: 20_000 }).toBe(1)
    near.publish('news', Buffer.from('after it'))
    await expect.poll(() => heard).toEqual(['after it'])
  })

  test('[V8] messages between nodes go on when the primary is another host, and the one before is gone without a word', async () => {
    const { url } = await migrated()
    const proxy = await openDatabaseProxy(url)
    const both = url.replace(/@[^/]+/, `@${new URL(proxy.url).host},${new URL(url).host}`)
    const carrier = new PostgresCarrier(both, systemClock, 10_000)
    onTestFinished(() => carrier.close())
    await carrier.connect()
    let gaps = 0
    carrier.port = { gap: () => gaps++, failed: () => undefined }
    proxy.silence()
    await Hosts.of(both).lookElsewhere()
    await expect.poll(() => gaps, { timeout: 8_000 }).toBe(1)
  })

  test('connections to a database that is gone without a word hold up no closing', async () => {
    const { url } = await migrated()
    const proxy = await openDatabaseProxy(url)
    const database = new Database(proxy.url, { most: 1, prepares: true })
    await database.rows({ name: 'kith-head', text: 'select position from head' })
    proxy.silence()
    expect(await Promise.race([database.close(), new Promise(resolve => setTimeout(resolve, 8_000, 'late'))])).toBe(
      undefined,
    )
  })
})

function encodeVarUint(value: number): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, value)
  return encoding.toUint8Array(encoder)
}
