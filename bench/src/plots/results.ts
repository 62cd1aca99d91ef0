import { readFile } from 'node:fs/promises'

/** One contestant of a workload, as written by `--json`. */
interface Contestant {
  readonly name: string
  readonly figures: Readonly<Record<string, { median: number; least: number; most: number }>>
  readonly distribution?: readonly { share: number; ms: number }[]
}

export interface Workload {
  readonly id: string
  readonly title: string
  readonly at?: number
  readonly contestants: readonly Contestant[]
}

/** Reads the workloads of several runs. If a workload was run twice, the later run counts. */
export async function readResults(files: readonly string[]): Promise<Workload[]> {
  const byTitle = new Map<string, Workload>()
  for (const file of files) {
    const { workloads } = JSON.parse(await readFile(file, 'utf8')) as { workloads: Workload[] }
    for (const workload of workloads) byTitle.set(`${workload.id} ${workload.title}`, workload)
  }
  return [...byTitle.values()]
}
