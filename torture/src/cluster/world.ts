import type { Population } from '../population.ts'
import type { Cluster } from './cluster.ts'
import type { Witness } from './witness.ts'

/** All parts that a round uses. */
export interface World {
  cluster: Cluster
  population: Population
  witness: Witness
}
