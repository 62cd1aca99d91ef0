import type { Population } from '../population.ts'
import type { Cluster } from './cluster.ts'
import type { Witness } from './witness.ts'

/** Everything that a round plays with. */
export interface World {
  cluster: Cluster
  population: Population
  witness: Witness
}
