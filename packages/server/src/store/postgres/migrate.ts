import { randomBytes } from 'node:crypto'
import { Incarnations } from '../../relations/incarnations.ts'
import { DatabaseError, OutdatedError } from './database-error.ts'
import { Hosts } from './hosts.ts'
import { type SchemaStep, schemaSteps } from './schema.ts'

/** "kith", as the number of an advisory lock. */
const lock = 0x6b697468

/**
 * min_reader: the lowest version of the schema whose Kith may use the database. Null if only the same version may. An existing
 * table is not altered without need: nodes that run read it, and would wait for the end of the migration.
 */
const makeVersion = `
create table if not exists schema_version
  (one boolean primary key default true check (one), version int not null, min_reader int);
do $$ begin
  if not exists (select from pg_attribute where attrelid = 'schema_version'::regclass and attname = 'min_reader') then
    alter table schema_version add column min_reader int;
  end if;
end $$;
insert into schema_version (version) values (0) on conflict do nothing`

/** What a database records about its schema. */
interface Found {
  version: number
  minReader: number
}

/** Called before each version to which the schema is migrated. On a large table, that may take minutes. */
type SchemaProgress = (version: number, last: number) => void

/**
 * Migrates the schema to the version of this Kith. Returns the versions before and after. Only one process at a time does this.
 * Rejects with {@link DatabaseError}, and changes nothing, while nodes are running that could not continue with the new schema.
 */
export async function migrate(
  url: string,
  steps: readonly SchemaStep[] = schemaSteps,
  onProgress: SchemaProgress = () => undefined,
): Promise<{ from: number; to: number }> {
  const client = await Hosts.of(url).connect()
  try {
    // One transaction, which a pooler does not split, and which holds the lock.
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock($1)', [lock])
    await client.query(makeVersion)
    const { version: from, minReader } = await versionOf(client)
    expectReadable({ version: from, minReader }, steps.length)
    if (from > 0 && minReader < (steps.at(-1)?.minReader ?? 0)) await expectNoNodes(client)
    for (const [index, { sql, minReader }] of steps.entries()) {
      if (index < from) continue
      onProgress(index + 1, steps.length)
      await client.query(`${sql}; update schema_version set version = ${index + 1}, min_reader = ${minReader}`)
    }
    await client.query('insert into store (identity, cursor_key) values ($1, $2) on conflict do nothing', [
      Incarnations.newIdentity(),
      randomBytes(32),
    ])
    await client.query('commit')
    return { from, to: Math.max(from, steps.length) }
  } finally {
    // Without a commit nothing has changed.
    await client.end()
  }
}

interface Client {
  query(text: string): Promise<{ rows: Record<string, unknown>[] }>
}

/** Of a row `v` of schema_version. A database of an earlier version of Kith has no `min_reader`. */
const leastVersion = "coalesce((to_jsonb(v) ->> 'min_reader')::int, version)"

/** A condition in SQL: this version of Kith may use the database. */
export const isReadable: string = `exists (select from schema_version v where ${leastVersion} <= ${schemaSteps.length})`

async function versionOf(client: Client): Promise<Found> {
  const { rows } = await client.query(`select version, ${leastVersion} as min_reader from schema_version v`)
  const [row] = rows as { version: number; min_reader: number }[]
  return { version: row?.version ?? 0, minReader: row?.min_reader ?? 0 }
}

/** Rejects with {@link DatabaseError} unless this version of Kith may use the database. */
export async function expectMigrated(client: Client): Promise<void> {
  const { rows } = await client.query("select to_regclass('schema_version')::text as found")
  const found = rows[0]?.['found'] ? await versionOf(client) : { version: 0, minReader: 0 }
  const known = schemaSteps.length
  expectReadable(found, known)
  if (found.version < known) {
    throw new DatabaseError(
      `the database has version ${found.version} of the schema, and this version of Kith needs ${known}: run kith-server migrate`,
    )
  }
}

function expectReadable({ version, minReader }: Found, known: number): void {
  if (minReader <= known) return
  throw new OutdatedError(
    `the database has version ${version} of the schema, which version ${minReader} and later ones can read, and this version of Kith knows ${known}: run the version of Kith that migrated it, or a later one`,
  )
}

/**
 * Nodes that run may be of any version since the present `min_reader`, and would continue to write in their own way. Until the
 * transaction ends, no batch is written, and no node joins: a node whose lease has expired must join again, and is then refused.
 */
async function expectNoNodes(client: Client): Promise<void> {
  await client.query('select from head for update')
  await client.query('lock table node in share row exclusive mode')
  const { rows } = await client.query('select count(*)::int as nodes from node where lease_until > clock_timestamp()')
  const nodes = rows[0]?.['nodes'] as number
  if (nodes === 0) return
  throw new DatabaseError(
    `${nodes} node${nodes === 1 ? ' runs' : 's run'} that cannot go on with the new schema: stop all nodes, then run kith-server migrate again`,
  )
}
