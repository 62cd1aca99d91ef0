import type { Finding, LastLapsing, Leftovers } from '../../relations/check.ts'
import { lookupDays } from '../../relations/lapsed.ts'
import { isWithinCursors } from './change-retention.ts'
import { keys, partsOf, ranges } from './keys.ts'
import { unnamedLookups } from './lapsing.ts'
import type { PagedReads } from './paged-reads.ts'
import { decodeAsked, decodeLapsed } from './record-codec.ts'

const dayMs = 86_400_000

export async function lastLapsing(disk: PagedReads): Promise<LastLapsing | undefined> {
  const { upTo, observedMs, confirmedMs } = decodeLapsed(await disk.get(keys.lapsed))
  return observedMs > 0 ? { upTo, observedMs, confirmedMs } : undefined
}

/**
 * Counts look-ups and days that had lapsed by the last day on which a server removed them. That day is used instead of today,
 * because nothing lapses while no server has the folder.
 */
export async function checkLeftovers(
  disk: PagedReads,
  lapsing: LastLapsing | undefined,
): Promise<Omit<Leftovers, 'relations'> & { findings: Finding[] }> {
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
  return { lookups: lapsing ? lookups : 0, days: lapsing ? Math.max(0, past - 1) : 0, findings }
}
