import { findPrograms, howToInstall } from '@kith/local-postgres'
import { Breach } from '../breach.ts'
import { Random } from '../random.ts'
import { Report } from '../report.ts'
import { Cluster } from './cluster.ts'
import { pickPlan, playRound } from './round.ts'

export interface Options {
  rounds: number
  seed: number
  /** Faults with this text in their names are played, and no others. */
  only: string
}

/** Breaks nodes, their database and connections again and again under load. 0: every promise was kept. */
export async function tortureCluster({ rounds, seed, only }: Options): Promise<number> {
  const programs = await findPrograms()
  if (!programs) {
    console.error(howToInstall)
    if (process.env['CI']) return 1
    console.log('torture: SKIPPED, no PostgreSQL runs here')
    return 0
  }
  // What was started ends with this process, in any way.
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.once(signal, () => process.exit(code))
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
      const counts = await playRound({ cluster, population, witness }, plan)
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
