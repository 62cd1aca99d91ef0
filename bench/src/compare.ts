import { pinLoad } from './measure/cores.ts'
import { printWorkload, writeResults } from './measure/results.ts'
import type { Workload } from './measure/rounds.ts'
import { workloads } from './workloads/index.ts'
import type { Size } from './workloads/size.ts'

export interface CompareOptions {
  /** By default all. */
  names: readonly string[]
  size: Size
  /** Where all figures go, as JSON. */
  file: string | undefined
}

/** Workloads beside a bare websocket server and, where they install, beside peers. Throws when one of them does wrong. */
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
