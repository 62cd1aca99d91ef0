import { type CheckedState, type CheckedStore, type CheckReport, checkStore } from '../../relations/check.ts'
import { Incarnations } from '../../relations/incarnations.ts'
import { checkOutbox } from './check-outbox.ts'
import { keys, parseOrdered, partsOf, ranges } from './keys.ts'
import type { LevelDatabase } from './level-database.ts'
import { LevelRecords } from './level-records.ts'
import { PagedReads } from './paged-reads.ts'
import { ReadGate } from './read-gate.ts'
import { decodeLevel, decodeNumber } from './record-codec.ts'

/**
 * Checks a database that no server uses: `checkStore` says what is compared.
 *
 * @param database - The database, as {@link openLevelDatabase} returned it.
 * @param onProgress - Gets the number of users that were checked.
 * @returns Resolves to the differences that it found, none in a sound folder.
 * @throws The error of the database when it cannot be read.
 */
export async function check(database: LevelDatabase, onProgress?: (users: number) => void): Promise<CheckReport> {
  const report = await checkStore(await checkedLevel(database), onProgress)
  return { ...report, findings: [...report.findings, ...(await checkOutbox(database))] }
}

async function checkedLevel(database: LevelDatabase): Promise<CheckedStore> {
  const disk = new PagedReads(database, new ReadGate())
  const [position, identity] = await disk.getMany([keys.position, keys.identity])
  const records = new LevelRecords(disk)
  const state: CheckedState = {
    position: position ? decodeNumber(position) : 0,
    users: ids => records.users(ids),
    relations: pairs => records.relations(pairs),
    relationsOf: user => records.relationsOf(user),
    erasures: ids => records.erasures(ids),
    async levelsOf(owner) {
      const entries = await disk.all(ranges.levels(owner))
      return entries.map(([key, bytes]) => [parseOrdered(partsOf(key)[2] as string), decodeLevel(bytes)] as const)
    },
    async documentOf(user, document) {
      return (await disk.all(ranges.document(user, document))).map(([, bytes]) => bytes)
    },
  }
  return {
    incarnations: identity && new Incarnations(identity),
    async *ids() {
      for (const range of [ranges.users, ranges.documents, ranges.allLevels, ranges.allRelations]) {
        for await (const key of disk.keys(range)) yield partsOf(key)[1] as string
      }
    },
    // Nobody writes meanwhile: there is one state.
    inState: work => work(state),
  }
}
