import { Database } from './database.ts'
import { expectMigrated } from './migrate.ts'

/** The number of reads that a command has in progress at a time. */
const connections = 2

/** Opens a database of our schema for a command that processes all of it. Throws `DatabaseError`. */
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
