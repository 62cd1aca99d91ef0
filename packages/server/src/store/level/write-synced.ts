import type { LevelDatabase } from './level-database.ts'
import type { Operation } from './operations.ts'

/**
 * Writes and syncs one atomic batch. Of two operations on one key, the last counts. A chained batch takes a quarter of the
 * event loop time that an array takes, and even less if it is large.
 */
export async function writeSynced(database: LevelDatabase, operations: readonly Operation[]): Promise<void> {
  const batch = database.batch()
  for (const operation of operations) {
    if (operation.type === 'put') batch.put(operation.key, operation.value)
    else batch.del(operation.key)
  }
  await batch.write({ sync: true } as object)
}
