import { pinLoad } from './measure/cores.ts'
import { printWorkload, writeResults } from './measure/results.ts'
import type { Workload } from './measure/rounds.ts'
import { workloads } from './workloads/index.ts'
import type { Size } from './workloads/size.ts'

export interface CompareOptions {
  /** The workloads to run; by default all. */
  names: readonly string[]
  size: Size
  /** The file for all figures, as JSON. */
  file: string | undefined
}

/**
 * Runs workloads on Kith, on a bare websocket server and, if they can be installed, on peers. Throws when one of them gives a
 * wrong result.
 */
export async function compare({ names, size, file }: CompareOptions): Promise<void> {
  const placed = pinLoad()
  console.log(placed)
  const results: Workload[] = []
  for (const name of names.length > 0 ? names : Object.keys(workloads)) {
    const begun = performance.now()
    for (const result of (await workloads[name]?.(size)) ?? []) {
      results.push(result)
      if (!size.isQuick) printWorkload(result)
    }
    if (size.isQuick) console.log(`${name}: done right, in ${((performance.now() - begun) / 1000).toFixed(1)} s`)
    if (file !== undefined) writeResults(file, placed, results)
  }
  for (const note of new Set(results.flatMap(({ notes }) => notes))) console.log(note)
}
