import type { LevelDatabase } from './level-database.ts'
import type { Operation } from './operations.ts'

/** A chained batch is faster for many operations, and an array for few. */
const mostInArray = 250

/** Writes and syncs, as one atomic batch. Of two operations on one key the last counts. */
export async function writeSynced(database: LevelDatabase, operations: readonly Operation[]): Promise<void> {
  if (operations.length <= mostInArray) return database.batch([...operations], { sync: true } as object)
  const batch = database.batch()
  for (const operation of operations) {
    if (operation.type === 'put') batch.put(operation.key, operation.value)
    else batch.del(operation.key)
  }
  await batch.write({ sync: true } as object)
}
