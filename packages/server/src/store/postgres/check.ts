import type { CheckedState, CheckedStore, CheckReport, Leftovers } from '../../relations/check/checked-store.ts'
import { checkStore, type UserLeftovers } from '../../relations/check/store.ts'
import { Incarnations } from '../../relations/incarnations.ts'
import { lookupDays } from '../../relations/lapsed.ts'
import { noUser } from '../../relations/records.ts'
import { decodeLevel, encodeUser, type LevelRow } from './codec.ts'
import type { Database, Rows, Statement } from './database.ts'
import { keptPositions } from './log-trimming.ts'
import { distinct } from './pages.ts'
import { partsOf } from './reads.ts'
import { PostgresRecords } from './records.ts'

/** The result of a check of a database. */
export interface DatabaseReport extends CheckReport {
  /** Errors in the log of commits. Empty if there are none. */
  faults: string[]
}

/**
 * Checks a database, even while nodes use it: each user is read in one snapshot. `checkStore` documents what is compared. In
 * addition, the log of commits must have no gap, and end at the head.
 */
export async function checkDatabase(database: Database, onProgress?: (users: number) => void): Promise<DatabaseReport> {
  const faults = await database.inSnapshot(faultsOf)
  const { leftovers, ...report } = await checkStore(await checkedDatabase(database), onProgress)
  return { ...report, leftovers: { ...leftovers, ...(await leftoversIn(database)) }, faults }
}

interface StoreRow {
  identity: Uint8Array
  lapsed: number
  observed_ms: number
  confirmed_ms: number
}

async function checkedDatabase(database: Database): Promise<CheckedStore> {
  const [store] = await database.rows<StoreRow>({
    name: 'kith-checked-store',
    text: 'select identity, lapsed, observed_ms, confirmed_ms from store',
  })
  return {
    incarnations: store && new Incarnations(new Uint8Array(store.identity)),
    lapsing:
      store && store.observed_ms > 0
        ? { upTo: store.lapsed, observedMs: store.observed_ms, confirmedMs: store.confirmed_ms }
        : undefined,
    ids: () => idsIn(database),
    inState: work => database.inSnapshot(async snapshot => work(await stateOf(snapshot))),
    uncompared: () => [],
  }
}

async function stateOf(snapshot: Rows): Promise<CheckedState> {
  const [head] = await snapshot.rows<{ position: number }>({ name: 'kith-head', text: 'select position from head' })
  const records = new PostgresRecords(snapshot)
  return {
    position: head?.position ?? 0,
    users: ids => records.users(ids),
    // Others write meanwhile, so each relation is compared in the state in which its own user is checked.
    async mirrors(user, others) {
      const relations = await records.relations(others.map(other => ({ a: other, b: user })))
      return relations.map(relation => ({ relation, isForBoth: false }))
    },
    relationsOf: user => records.relationsOf(user),
    erasures: ids => records.erasures(ids),
    async levelsOf(owner) {
      const rows = await snapshot.rows<LevelRow & { level: number }>({ ...levelsOfOwner, values: [owner] })
      return rows.flatMap(row => {
        const level = decodeLevel(row)
        return level ? [[row.level, level] as const] : []
      })
    },
    documentOf: async (user, document) => (await partsOf(snapshot, user, document)).parts,
  }
}

const levelsOfOwner: Statement = {
  name: 'kith-levels-of',
  text: 'select level, position, fields from level where owner = $1 order by level',
}

/**
 * Look-ups and days that had lapsed by the last day on which a node removed them, batches that a running node would have
 * trimmed from the log an hour ago, revocations of users without a record, and records that are equivalent to none.
 */
const otherLeftovers: Statement = {
  name: 'kith-leftovers',
  text: `select
      (select count(*)::int from asked k where k.day < s.confirmed_ms / 86400000 - ${lookupDays} and not exists (
        select from relation r where r.a = k.viewer and r.b = k.id and substring(record for 2) <> '\\x0000')) as lookups,
      (select greatest(0, count(*)::int - 1) from day where start_ms <= s.observed_ms - 90 * 86400000::bigint) as days,
      (select count(*)::int from log where last <= (select position from head) - ${keptPositions}
        and at < (select max(at) from log) - interval '70 minutes') as changes,
      (select count(*)::int from account a where revoked_at_ms > 0 and not exists (
        select from users u where u.id = a.id)) as tokens,
      (select count(*)::int from users
        where registered_at = 0 and levels = '{}' and record::jsonb = $1::jsonb) as users
    from store s`,
}

type OtherLeftovers = Omit<Leftovers, keyof UserLeftovers>

async function leftoversIn(database: Database): Promise<OtherLeftovers> {
  const [found] = await database.rows<OtherLeftovers>({ ...otherLeftovers, values: [encodeUser(noUser).record] })
  return found ?? { lookups: 0, days: 0, changes: 0, tokens: 0, users: 0 }
}

/** The ids of all users with a record of one of these kinds. An id may occur several times. */
async function* idsIn(database: Database): AsyncIterable<string> {
  for (const [table, column] of idColumns) yield* distinct(database, table, column)
}

const idColumns = [
  ['users', 'id'],
  ['document', 'id'],
  ['level', 'owner'],
  ['relation', 'a'],
] as const

/** The rows of the log must be consecutive, and the last one must be at the head. Older rows were trimmed. */
async function faultsOf(snapshot: Rows): Promise<string[]> {
  const text = `select l.first, l.last, lag(l.last) over (order by l.last) as before, h.position as head
    from head h left join log l on true order by l.last`
  const rows = await snapshot.rows<{ first: number | null; last: number; before: number | null; head: number }>({
    name: 'kith-log-faults',
    text,
  })
  const faults: string[] = []
  for (const { first, last, before } of rows) {
    if (first === null) continue
    if (last < first) faults.push(`the log has commits from ${first} to ${last}`)
    if (before !== null && before + 1 !== first)
      faults.push(`the log has nothing between commits ${before} and ${first}`)
  }
  const end = rows.at(-1)
  if (end && end.first !== null && end.last !== end.head) {
    faults.push(`the log ends at commit ${end.last}, and the head is ${end.head}`)
  }
  return faults
}
