import { randomBytes } from 'node:crypto'
import { Incarnations } from '../../relations/incarnations.ts'
import { DatabaseError } from './database-error.ts'
import { Hosts } from './hosts.ts'
import { migrations } from './schema.ts'

/** "kith", as the number of an advisory lock. */
const lock = 0x6b697468

const makeVersion = `
create table if not exists schema_version (one boolean primary key default true check (one), version int not null);
insert into schema_version (version) values (0) on conflict do nothing`

/** Brings the schema to the version of this Kith. Returns the versions before and after. One process at a time does it. */
export async function migrate(url: string): Promise<{ from: number; to: number }> {
  const client = await Hosts.of(url).connect()
  try {
    // One transaction, which a pooler does not part, and which holds the lock.
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock($1)', [lock])
    await client.query(makeVersion)
    const from = await versionOf(client)
    expectKnown(from)
    for (const [index, step] of migrations.entries()) {
      if (index < from) continue
      await client.query(`${step}; update schema_version set version = ${index + 1}`)
    }
    await client.query('insert into store (identity, cursor_key) values ($1, $2) on conflict do nothing', [
      Incarnations.newIdentity(),
      randomBytes(32),
    ])
    await client.query('commit')
    return { from, to: migrations.length }
  } finally {
    // Without a commit nothing has changed.
    await client.end()
  }
}

interface Client {
  query(text: string): Promise<{ rows: { version?: number; found?: string | null }[] }>
}

async function versionOf(client: Client): Promise<number> {
  const { rows } = await client.query('select version from schema_version')
  return rows[0]?.version ?? 0
}

/** Rejects with {@link DatabaseError} unless the schema is of this version of Kith. */
export async function expectMigrated(client: Client): Promise<void> {
  const { rows } = await client.query("select to_regclass('schema_version')::text as found")
  const version = rows[0]?.found ? await versionOf(client) : 0
  expectKnown(version)
  if (version < migrations.length) {
    throw new DatabaseError(
      `the database has version ${version} of the schema, and this version of Kith needs ${migrations.length}: run kith-server migrate`,
    )
  }
}

function expectKnown(version: number): void {
  if (version <= migrations.length) return
  throw new DatabaseError(
    `the database has version ${version} of the schema, and this version of Kith knows ${migrations.length}: run the version of Kith that migrated it, or a later one`,
  )
}
