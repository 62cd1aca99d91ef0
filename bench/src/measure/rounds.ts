import { machineMs, processorMs } from './processor-time.ts'

/** One of those that take turns in each round. */
export interface Contestant {
  readonly name: string
  /** Of its server, if that is a process of its own. */
  readonly pid?: number | undefined
  /** Does the work once. Returns figures by name. Throws when something is not as it must be, however long it took. */
  round(number: number): Promise<Readonly<Record<string, number>>>
  /** What the last round measured many times, of which the figures are percentiles; in milliseconds. */
  samples?(): readonly number[]
  close(): Promise<void>
}

/** What one contestant took: a value of each round by figure. */
export interface Measured {
  readonly name: string
  readonly values: Map<string, number[]>
  /** Of all rounds; empty where nothing was measured many times. */
  readonly samples: number[]
}

export interface Workload {
  readonly id: string
  readonly title: string
  readonly rounds: number
  /** The first is what the others are compared with. */
  readonly contestants: Measured[]
  /** In each round and for each contestant: what other processes took of one core, in percent. */
  readonly others: number[]
  readonly notes: string[]
  /** Of a workload that is measured in several sizes: how large it was. */
  readonly at?: number | undefined
}

/**
 * Lets contestants take turns, so that whatever else the machine does meets all of them, and closes them. The order turns from
 * round to round: the first one after a pause finds other caches than the second.
 */
export async function alternate(
  { id, title, notes = [], at }: { id: string; title: string; notes?: string[]; at?: number },
  contestants: readonly Contestant[],
  rounds: number,
): Promise<Workload> {
  const measured = contestants.map(({ name }): Measured => ({ name, values: new Map(), samples: [] }))
  const others: number[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < contestants.length; turn++) {
        const index = (round + turn) % contestants.length
        const [contestant, into] = [contestants[index] as Contestant, measured[index] as Measured]
        const { figures, share } = await measure(contestant, round)
        others.push(share)
        for (const [figure, value] of Object.entries(figures)) valuesOf(into, figure).push(value)
        for (const sample of contestant.samples?.() ?? []) into.samples.push(sample)
      }
    }
  } finally {
    for (const contestant of contestants) await contestant.close()
  }
  return { id, title, rounds, contestants: measured, others, notes, at }
}

function valuesOf({ values }: Measured, figure: string): number[] {
  const known = values.get(figure) ?? []
  values.set(figure, known)
  return known
}

async function measure(
  contestant: Contestant,
  round: number,
): Promise<{ figures: Readonly<Record<string, number>>; share: number }> {
  const { pid } = contestant
  const ours = (): number => processorMs(process.pid) + (pid === undefined ? 0 : processorMs(pid))
  const before = { atMs: performance.now(), machine: machineMs(), ours: ours() }
  const figures = await contestant.round(round)
  const wallMs = performance.now() - before.atMs
  const othersMs = machineMs() - before.machine - (ours() - before.ours)
  return { figures, share: Math.max(0, (100 * othersMs) / wallMs) }
}
