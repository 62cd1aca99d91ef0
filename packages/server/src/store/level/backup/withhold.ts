import { hasAccount, isWithheld } from '../../../relations/records.ts'
import { keys, partsOf, ranges } from '../keys.ts'
import type { LevelDatabase } from '../level-database.ts'
import type { Operation } from '../operations.ts'
import { decodeNumber, decodeRelation, decodeUser, encodeNumber, encodeRelation, encodeUser } from '../record-codec.ts'
import { Runs } from '../runs.ts'
import { writeSynced } from '../write-synced.ts'

const operationsInBatch = 1_000

/**
 * Shows nothing of any owner until one of the owner's devices has synced, because the backup does not contain what owners took
 * away since then. All users count as not registered, and keep everything else. So a device that answers the server's sync step
 * 1 registers its user again, with the whole roster on disk [F3], and what is shown from then on is derived from that roster.
 * The mark `isWithheld` tells such an account from an id that never registered. Returns the number of users who are withheld.
 *
 * Only for a copy that no server uses, because the changes are not one batch.
 */
export async function withhold(database: LevelDatabase, nowMs: number): Promise<number> {
  const [runs, stored] = await database.getMany([keys.runs, keys.position])
  const position = stored ? decodeNumber(stored) : 0
  const batch = new Batches(database)
  await hideAll(database, batch, { changedAt: position + 1, nowMs })
  let users = 0
  for await (const [key, bytes] of database.iterator(ranges.users)) {
    const user = decodeUser(bytes)
    if (isWithheld(user)) users++
    if (user.registeredAt === 0) continue
    users++
    await batch.add({ type: 'put', key, value: encodeUser({ ...user, registeredAt: 0, isWithheld: true }) })
  }
  // A new run, because the lost store also used this position, for another commit.
  await batch.add({ type: 'put', key: keys.runs, value: Runs.begin(runs, position).encode() })
  await batch.add({ type: 'put', key: keys.position, value: encodeNumber(position + 1) })
  await batch.write()
  return users
}

/**
 * Removes what viewers are shown. No user who had an account is announced as new when the user returns. A user who registers
 * for the first time is.
 */
async function hideAll(
  database: LevelDatabase,
  batch: Batches,
  { changedAt, nowMs }: { changedAt: number; nowMs: number },
): Promise<void> {
  for await (const some of inSlices(database.iterator(ranges.allRelations))) {
    const concerned = some
      .map(([key, bytes]) => ({ key, relation: decodeRelation(bytes), owner: partsOf(key)[2] as string }))
      .filter(({ relation }) => relation.shown.length > 0 || relation.mine.isSubscribed)
    const owners = await withAccount(database, new Set(concerned.map(({ owner }) => owner)))
    for (const { key, relation, owner } of concerned) {
      const isShown = relation.shown.length > 0
      if (!isShown && !owners.has(owner)) continue
      const hidden = { ...relation, ...(isShown && { shown: [], changedAt }), joinedAtMs: nowMs }
      await batch.add({ type: 'put', key, value: encodeRelation(hidden) })
    }
  }
}

/** Returns those of the users who have an account in the backup. */
async function withAccount(database: LevelDatabase, users: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const names = [...users]
  const records = await database.getMany(names.map(keys.user))
  return new Set(names.filter((_, index) => records[index] && hasAccount(decodeUser(records[index]))))
}

async function* inSlices<T>(all: AsyncIterable<T>): AsyncIterable<T[]> {
  let slice: T[] = []
  for await (const one of all) {
    slice.push(one)
    if (slice.length < operationsInBatch) continue
    yield slice
    slice = []
  }
  yield slice
}

class Batches {
  readonly #database: LevelDatabase
  #operations: Operation[] = []

  constructor(database: LevelDatabase) {
    this.#database = database
  }

  async add(operation: Operation): Promise<void> {
    this.#operations.push(operation)
    if (this.#operations.length >= operationsInBatch) await this.write()
  }

  async write(): Promise<void> {
    await writeSynced(this.#database, this.#operations.splice(0))
  }
}
