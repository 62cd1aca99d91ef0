import { Database } from './database.ts'
import { expectMigrated } from './migrate.ts'

/** As many reads as a command has under way at a time. */
const connections = 2

/** A database of our schema for a command that looks at it whole. Throws `DatabaseError`. */
export async function withDatabase<T>(
  url: string,
  prepares: boolean,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const database = new Database(url, { most: connections, prepares })
  try {
    await database.with(client => expectMigrated(client))
    return await work(database)
  } finally {
    await database.close()
  }
}
