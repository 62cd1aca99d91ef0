import type { Bus } from './bus/bus.ts'
import type { Stays } from './presence/stays.ts'

/** What a node shares with the other nodes of its cluster, in addition to the store. */
export interface Cluster {
  bus: Bus
  stays: Stays
}
