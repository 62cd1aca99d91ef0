import type { Random } from '../../random.ts'
import type { World } from '../world.ts'

/** Breaks something while the load goes on, and has it whole again when it resolves. */
export interface Fault {
  /** How often it comes, beside the others of its kind. */
  weight: number
  /**
   * Commits that were never answered are lost, after nodes have shown them. Devices fill what the database lacks, and not in
   * the order of their edits (docs/PROTOCOL.md 9.8).
   */
  isRefilled?: true
  play(world: World, random: Random): Promise<void>
}

export type Faults = Readonly<Record<string, Fault>>
