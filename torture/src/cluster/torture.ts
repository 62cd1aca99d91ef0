import { setTimeout as pause } from 'node:timers/promises'
import { findPrograms, howToInstall } from '@kith/local-postgres'
import { Breach } from '../breach.ts'
import { Random } from '../random.ts'
import { Report } from '../report.ts'
import { Cluster } from './cluster.ts'
import { pickPlan, playRound } from './round.ts'

/** The time limit of one round, on a busy machine. */
const patienceMs = 300_000

export interface Options {
  rounds: number
  seed: number
  /** Only faults whose names contain this text are played. */
  only: string
}

/** Breaks nodes, their database and connections repeatedly under load. Returns 0 if every promise was kept. */
export async function tortureCluster({ rounds, seed, only }: Options): Promise<number> {
  const programs = await findPrograms()
  if (!programs) {
    console.error(howToInstall)
    if (process.env['CI']) return 1
    console.log('torture: SKIPPED, no PostgreSQL runs here')
    return 0
  }
  endOn('SIGINT', 130)
  endOn('SIGTERM', 143)
  const report = new Report('rounds', rounds, seed)
  console.log(programs.description)
  const plans = new Random(seed)
  const cluster = await Cluster.open()
  try {
    const population = await cluster.populate(seed)
    const witness = await cluster.witness(population)
    for (let round = 1; round <= rounds; round++) {
      const plan = pickPlan(plans, only)
      const names = plan.flat().map(([name]) => name)
      report.begin(names.join('; '))
      const counts = await inTime(playRound({ cluster, population, witness }, plan))
      report.add({ names, counts })
    }
    await witness.close()
    await population.close()
    await cluster.stop()
    report.end()
    return 0
  } catch (error) {
    report.fail(error instanceof Breach ? error.message : error)
    for (const node of cluster.nodes) console.error(`\nnode ${node.number}:\n${await node.log()}`)
    return 1
  }
}

/** All started processes end with this process, however it ends. */
function endOn(signal: NodeJS.Signals, code: number): void {
  process.once(signal, () => process.exit(code))
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const timer = new AbortController()
  const late = pause(patienceMs, undefined, { signal: timer.signal }).then(() => {
    throw new Breach(`the round goes on after ${patienceMs / 1000} s`)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    timer.abort()
    late.catch(() => undefined)
  }
}
