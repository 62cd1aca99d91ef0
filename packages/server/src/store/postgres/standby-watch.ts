import type { Clock } from '../../clock.ts'
import type { Standbys } from '../nodes/standbys.ts'
import type { Database } from './database.ts'
import { durabilityOf, noStandby } from './durability.ts'

/** How often the settings of the database are read: an operator, or a failover manager, changes them while nodes run. */
const intervalMs = 5_000

/** Checks periodically whether a standby confirms the database's writes, and reports when that changes. */
export class StandbyWatch implements Standbys {
  readonly isRequired: boolean
  #isConfirming: boolean
  readonly #database: Database
  readonly #warn: (warning: string) => void
  readonly #stop: () => void

  constructor(
    database: Database,
    {
      clock,
      warn,
      ...first
    }: { clock: Clock; warn: (warning: string) => void; isRequired: boolean; isConfirming: boolean },
  ) {
    this.#database = database
    this.#warn = warn
    this.isRequired = first.isRequired
    this.#isConfirming = first.isConfirming
    this.#stop = clock.every(intervalMs, () => void this.#look().catch(() => undefined))
  }

  get isConfirming(): boolean {
    return this.#isConfirming
  }

  close(): void {
    this.#stop()
  }

  /** If the settings cannot be read, the last result stays: without the database there is no lease either. */
  async #look(): Promise<void> {
    const { isConfirming } = await this.#database.with(durabilityOf)
    if (isConfirming === this.#isConfirming) return
    this.#isConfirming = isConfirming
    this.#warn(isConfirming ? 'a standby confirms again what the database writes' : noStandby)
  }
}
