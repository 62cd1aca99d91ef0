import type { LevelDatabase } from './level-database.ts'
import type { Operation } from './operations.ts'

/** Writes and syncs, as one atomic batch. Of two operations on one key the last counts. */
export async function writeSynced(database: LevelDatabase, operations: readonly Operation[]): Promise<void> {
  if (operations.length <= mostInArray) return database.batch([...operations], { sync: true } as object)
  await writeMany(database, operations)
}

/** More are handed to LevelDB one by one. */
const mostInArray = 4_000

/** The same, for many operations: a chained batch takes less time of the event loop than an array. */
export async function writeMany(database: LevelDatabase, operations: readonly Operation[]): Promise<void> {
  const batch = database.batch()
  for (const operation of operations) {
    if (operation.type === 'put') batch.put(operation.key, operation.value)
    else batch.del(operation.key)
  }
  await batch.write({ sync: true } as object)
}
