import type { CheckedState, CheckedStore, CheckReport, LastLapsing } from '../../relations/check/checked-store.ts'
import { checkStore } from '../../relations/check/store.ts'
import { Incarnations } from '../../relations/incarnations.ts'
import { CheckAhead } from './check-ahead.ts'
import { checkLeftovers, lastLapsing } from './check-leftovers.ts'
import { checkOutbox } from './check-outbox.ts'
import { InOrder, inKeyOrder } from './in-order.ts'
import { type KeyRange, keys, ownerOf, parseOrdered, partsOf, ranges } from './keys.ts'
import type { LevelDatabase } from './level-database.ts'
import { LevelRecords } from './level-records.ts'
import { PagedReads } from './paged-reads.ts'
import { ReadGate } from './read-gate.ts'
import { decodeLevel, decodeNumber } from './record-codec.ts'

/** The number of relations that are kept in memory until their other side is read: 100 MB at most. */
const relationsKept = 200_000

/**
 * Checks a database that no server uses. `checkStore` documents what is compared.
 *
 * @param database - The database, as {@link openLevelDatabase} returned it.
 * @param onProgress - Gets the number of users that were checked.
 * @returns Resolves to the differences that it found, none in a sound folder.
 * @throws The error of the database, if it cannot be read.
 */
export function check(database: LevelDatabase, onProgress?: (users: number) => void): Promise<CheckReport> {
  return checkKeeping(relationsKept, database, onProgress)
}

/**
 * Like {@link check}. `mostWaiting`: the number of relations that are kept in memory until their other side is read. The other
 * sides of all further relations are read separately.
 */
export async function checkKeeping(
  mostWaiting: number,
  database: LevelDatabase,
  onProgress?: (users: number) => void,
): Promise<CheckReport> {
  const disk = new PagedReads(database, new ReadGate())
  const lapsing = await lastLapsing(disk)
  const recorded = await ownersIn(disk, [ranges.users])
  const { leftovers, ...report } = await checkStore(
    await checkedLevel(disk, recorded, lapsing, mostWaiting),
    onProgress,
  )
  const { findings, ...left } = await checkLeftovers(disk, recorded, lapsing)
  return {
    ...report,
    findings: [...report.findings, ...findings, ...(await checkOutbox(database))],
    leftovers: { ...leftovers, ...left },
  }
}

async function checkedLevel(
  disk: PagedReads,
  recorded: ReadonlySet<string>,
  lapsing: LastLapsing | undefined,
  mostWaiting: number,
): Promise<CheckedStore> {
  const [position, identity] = await disk.getMany([keys.position, keys.identity])
  const records = new LevelRecords(disk)
  const accounts = new Set([...recorded, ...(await ownersIn(disk, [ranges.documents, ranges.allLevels]))])
  const ahead = new CheckAhead(disk, recorded, [...accounts].sort(inKeyOrder), mostWaiting)
  // Users are checked in the order of the keys. Single reads for each would take most of the time.
  const levels = new InOrder(disk, ranges.allLevels)
  const documents = new InOrder(disk, ranges.documents)
  const state: CheckedState = {
    position: position ? decodeNumber(position) : 0,
    users: ids => ahead.users(ids),
    mirrors: (user, others) => ahead.mirrors(user, others),
    async *relationsOf(user) {
      yield ahead.relationsOf(user)
    },
    erasures: ids => records.erasures(ids),
    async levelsOf(owner) {
      const entries = await levels.of(owner)
      return entries.map(([key, bytes]) => [parseOrdered(partsOf(key)[2] as string), decodeLevel(bytes)] as const)
    },
    async documentOf(user, document) {
      const parts = await documents.of(user)
      return parts.filter(([key]) => partsOf(key)[2] === document).map(([, bytes]) => bytes)
    },
  }
  return {
    incarnations: identity && new Incarnations(identity),
    lapsing,
    async *ids() {
      for (let ids = await ahead.next(); ids.length > 0; ids = await ahead.next()) yield* ids
    },
    // Nothing else writes meanwhile, so there is only one state.
    inState: work => work(state),
    uncompared: () => ahead.uncompared(),
  }
}

async function ownersIn(disk: PagedReads, families: readonly KeyRange[]): Promise<Set<string>> {
  const owners = new Set<string>()
  for (const family of families) {
    for await (const page of disk.keyPages(family)) for (const key of page) owners.add(ownerOf(key))
  }
  return owners
}
