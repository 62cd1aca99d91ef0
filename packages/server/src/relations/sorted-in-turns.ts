import type { Turns } from '../turns.ts'

/** The number of names that are sorted in one slice. */
const runLength = 2_000

/** Returns the names in order. Short runs are sorted, and then merged in slices. A single sort would be one long slice [S3]. */
export async function sortedInTurns(names: readonly string[], turns: Turns): Promise<string[]> {
  let runs: string[][] = []
  for (let start = 0; start < names.length; start += runLength) {
    runs.push(names.slice(start, start + runLength).sort())
    if (start > 0) await turns.pass()
  }
  while (runs.length > 1) {
    const longer: string[][] = []
    for (let index = 0; index < runs.length; index += 2) {
      longer.push(await merged(runs[index] as string[], runs[index + 1] ?? [], turns))
    }
    runs = longer
  }
  return runs[0] ?? []
}

async function merged(a: readonly string[], b: readonly string[], turns: Turns): Promise<string[]> {
  const all: string[] = []
  let fromA = 0
  let fromB = 0
  while (fromA < a.length || fromB < b.length) {
    const nextA = a[fromA]
    const nextB = b[fromB]
    if (nextB === undefined || (nextA !== undefined && nextA <= nextB)) {
      all.push(nextA as string)
      fromA++
    } else {
      all.push(nextB)
      fromB++
    }
    if (all.length % mergedInTurn === 0) await turns.pass()
  }
  return all
}

/** The number of names that are merged in one slice. A comparison costs much less than the other steps that are counted. */
const mergedInTurn = 10_000
