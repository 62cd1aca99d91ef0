import type { Kith } from '@kith/client'
import { databaseOf } from '../devices/name.ts'
import type { Entry } from './entry.ts'
import type { Fact } from './facts.ts'
import { factsBetween, type OwnState, readOwnState } from './own-state.ts'

/** After this time without messages, a device is idle. */
const restMs = 300

/**
 * The content of changes that build on data from before this page was loaded. The bytes of such a change do not show it, since
 * they name an earlier change instead of a key. So the device's own state is read before and after.
 */
export class OwnChanges {
  readonly #kithOf: (device: string) => Kith | undefined
  readonly #stateByDevice: Map<string, Promise<OwnState | undefined>> = new Map()
  readonly #timerByDevice: Map<string, ReturnType<typeof setTimeout>> = new Map()

  constructor(kithOf: (device: string) => Kith | undefined) {
    this.#kithOf = kithOf
  }

  /** Resolves to the facts of an entry, if it is such a change. */
  async factsOf({ name, brief, facts = [] }: Entry): Promise<Fact[]> {
    const device = databaseOf(name)
    const isChange = brief.is === 'changed'
    if (!isChange || facts.length > 0 || !this.#stateByDevice.has(device)) {
      if (isChange || ['copied', 'stored', 'greeted'].includes(brief.is)) this.#readLater(device)
      return []
    }
    const before = await this.#stateByDevice.get(device)
    const after = await this.#read(device)
    return before && after ? factsBetween(before, after) : []
  }

  /** Thousands of changes may follow each other, and are read once. The first read is immediate, since an edit may follow. */
  #readLater(device: string): void {
    if (!this.#stateByDevice.has(device)) void this.#read(device)
    clearTimeout(this.#timerByDevice.get(device))
    this.#timerByDevice.set(
      device,
      setTimeout(() => void this.#readAtRest(device), restMs),
    )
  }

  /** A change that was made but not sent yet belongs to a later entry, so a state that contains it is not kept. */
  async #readAtRest(device: string): Promise<void> {
    const kith = this.#kithOf(device)
    if (!kith) return
    const kept = this.#stateByDevice.get(device)
    const state = await readOwnState(kith)
    if (this.#stateByDevice.get(device) !== kept) return // It was read meanwhile, for a newer entry.
    if (!state || kith.unsent > 0) return // A `stored` follows once it is on the server, and this is called again.
    this.#stateByDevice.set(device, Promise.resolve(state))
  }

  #read(device: string): Promise<OwnState | undefined> | undefined {
    const kith = this.#kithOf(device)
    if (!kith) return undefined
    const state = readOwnState(kith)
    this.#stateByDevice.set(device, state)
    return state
  }
}
