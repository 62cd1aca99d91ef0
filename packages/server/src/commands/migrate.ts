import { parseArgs } from 'node:util'
import { type Environment, SettingsError } from '../environment.ts'
import { readDatabase } from '../settings.ts'
import { tellSchema } from './migration-progress.ts'

/** Migrates the schema of the database to the version of this Kith. */
export async function runMigrate(args: readonly string[], env: Environment): Promise<number> {
  try {
    parseArgs({ args: [...args], options: {} })
  } catch (error) {
    throw new SettingsError(error instanceof Error ? error.message : String(error), { cause: error })
  }
  const database = readDatabase(env)
  if (!database) throw new SettingsError('set KITH_DATABASE_URL to the database that is to be migrated')
  const { migrate } = await import('../store/postgres/migrate.ts')
  const { from, to } = await migrate(database.url, undefined, tellSchema)
  process.stdout.write(
    from === to ? `the schema has version ${to}\n` : `migrated the schema from version ${from} to ${to}\n`,
  )
  return 0
}
