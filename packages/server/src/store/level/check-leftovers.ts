import type { Finding, LastLapsing, Leftovers } from '../../relations/check/checked-store.ts'
import type { UserLeftovers } from '../../relations/check/store.ts'
import { lookupDays } from '../../relations/lapsed.ts'
import { isWithinCursors } from './change-retention.ts'
import { type KeyRange, keys, ownerOf, partsOf, ranges } from './keys.ts'
import { blankUsers, unnamedLookups } from './lapsing.ts'
import type { PagedReads } from './paged-reads.ts'
import { decodeAsked, decodeLapsed, decodeNumber } from './record-codec.ts'

const dayMs = 86_400_000

export async function lastLapsing(disk: PagedReads): Promise<LastLapsing | undefined> {
  const { upTo, observedMs, confirmedMs } = decodeLapsed(await disk.get(keys.lapsed))
  return observedMs > 0 ? { upTo, observedMs, confirmedMs } : undefined
}

/**
 * Counts changes from before the oldest cursor, records that are equivalent to none, and revocations of users without a record
 * (`recorded`: those with one). Counts look-ups and days that had lapsed by the last day on which a server removed them. That
 * day is used instead of today, because nothing lapses while no server has the folder.
 */
export async function checkLeftovers(
  disk: PagedReads,
  recorded: ReadonlySet<string>,
  lapsing: LastLapsing | undefined,
): Promise<Omit<Leftovers, keyof UserLeftovers> & { findings: Finding[] }> {
  const findings: Finding[] = []
  const { observedMs, confirmedMs } = lapsing ?? { observedMs: 0, confirmedMs: 0 }
  const firstDay = Math.floor(confirmedMs / dayMs) - lookupDays
  let lookups = 0
  for await (const page of disk.pages(ranges.allAsked)) {
    const old = page.filter(([key, bytes]) => {
      try {
        return decodeAsked(bytes) < firstDay
      } catch (error) {
        const [, viewer = '', id] = partsOf(key)
        const why = error instanceof Error ? error.message : String(error)
        findings.push({ user: viewer, what: `the look-up of ${JSON.stringify(id)} can't be read: ${why}` })
        return false
      }
    })
    lookups += (await unnamedLookups(disk, old)).length
  }
  let past = 0
  for await (const key of disk.keys(ranges.days)) if (!isWithinCursors(key, observedMs)) past++
  // The last of them determines the oldest cursor.
  const forgotten = await disk.get(keys.forgotten)
  const changes = await count(disk, ranges.changesUpTo(forgotten ? decodeNumber(forgotten) : 0), () => true)
  let users = 0
  for await (const page of disk.pages(ranges.users)) users += blankUsers(page).length
  const tokens = await count(disk, ranges.tokens, key => !recorded.has(ownerOf(key)))
  return { changes, tokens, users, lookups: lapsing ? lookups : 0, days: lapsing ? Math.max(0, past - 1) : 0, findings }
}

async function count(disk: PagedReads, range: KeyRange, counts: (key: string) => boolean): Promise<number> {
  let found = 0
  for await (const page of disk.keyPages(range)) found += page.filter(counts).length
  return found
}
