import { machineMs, processorMs } from './processor-time.ts'

/** One of those that take turns in each round. */
export interface Contestant {
  readonly name: string
  /** Of its server, if that is a process of its own. */
  readonly pid?: number | undefined
  /** Does the work once. Returns figures by name. Throws when something is not as it must be, however long it took. */
  round(number: number): Promise<Readonly<Record<string, number>>>
  close(): Promise<void>
}

/** What one contestant took: a value of each round by figure. */
export interface Measured {
  readonly name: string
  readonly values: Map<string, number[]>
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
}

/**
 * Lets contestants take turns, so that whatever else the machine does meets all of them, and closes them. The order turns from
 * round to round: the first one after a pause finds other caches than the second.
 */
export async function alternate(
  { id, title, notes = [] }: { id: string; title: string; notes?: string[] },
  contestants: readonly Contestant[],
  rounds: number,
): Promise<Workload> {
  const measured = contestants.map(({ name }): Measured => ({ name, values: new Map() }))
  const others: number[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < contestants.length; turn++) {
        const index = (round + turn) % contestants.length
        const { figures, share } = await measure(contestants[index] as Contestant, round)
        others.push(share)
        for (const [figure, value] of Object.entries(figures)) valuesOf(measured[index] as Measured, figure).push(value)
      }
    }
  } finally {
    for (const contestant of contestants) await contestant.close()
  }
  return { id, title, rounds, contestants: measured, others, notes }
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
