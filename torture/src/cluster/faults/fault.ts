import type { Random } from '../../random.ts'
import type { World } from '../world.ts'

/** Causes a fault while the load continues. Resolves when the fault has been repaired. */
export interface Fault {
  /** Its frequency, relative to the other faults of its kind. */
  weight: number
  /**
   * Commits that were never answered are lost after nodes have shown them. Devices then send the data that the database lacks,
   * and not in the order of their edits (docs/PROTOCOL.md 9.8).
   */
  isRefilled?: true
  play(world: World, random: Random): Promise<void>
}

export type Faults = Readonly<Record<string, Fault>>
