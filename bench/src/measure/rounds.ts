import { machineMs, processorMs } from './processor-time.ts'

/** A contestant: one of several that take turns in each round. */
export interface Contestant {
  readonly name: string
  /** The process id of its server, if that is a process of its own. */
  readonly pid?: number | undefined
  /** Does the work once. Returns figures by name. Throws when a result is wrong, regardless of the time. */
  round(number: number): Promise<Readonly<Record<string, number>>>
  /** Returns the samples from which the last round computed its percentiles, in milliseconds. */
  samples?(): readonly number[]
  close(): Promise<void>
}

/** The results of one contestant: a value of each round for each figure. */
export interface Measured {
  readonly name: string
  readonly values: Map<string, number[]>
  /** The samples of all rounds; empty if no samples were taken. */
  readonly samples: number[]
}

export interface Workload {
  readonly id: string
  readonly title: string
  readonly rounds: number
  /** The first contestant is the one with which the others are compared. */
  readonly contestants: Measured[]
  /** The percentage of one core that other processes used, for each round and each contestant. */
  readonly others: number[]
  readonly notes: string[]
  /** For a workload that is measured in several sizes: the size. */
  readonly at?: number | undefined
}

/**
 * Lets contestants take turns, so that other work on the machine affects all of them, and then closes them. The order rotates
 * from round to round, because the first contestant after a pause finds other data in the caches than the second one.
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
