import type { Kith } from '@kith/client'
import { databaseOf } from '../devices/name.ts'
import type { Entry } from './entry.ts'
import type { Fact } from './facts.ts'
import { factsBetween, type OwnState, readOwnState } from './own-state.ts'

/** So long after its last message, a device has done what it did. */
const restMs = 300

/**
 * What changes say that build upon what was there before this page was loaded: their bytes alone do not say it, since they
 * name an earlier change in place of a key. The device itself is asked, before and after.
 */
export class OwnChanges {
  readonly #kithOf: (device: string) => Kith | undefined
  readonly #stateByDevice: Map<string, Promise<OwnState | undefined>> = new Map()
  readonly #timerByDevice: Map<string, ReturnType<typeof setTimeout>> = new Map()

  constructor(kithOf: (device: string) => Kith | undefined) {
    this.#kithOf = kithOf
  }

  /** Resolves with what an entry says, if it is such a change. */
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

  /** Thousands of changes come one after the other, and are read once. The first read is immediate, since an edit may follow. */
  #readLater(device: string): void {
    if (!this.#stateByDevice.has(device)) void this.#read(device)
    clearTimeout(this.#timerByDevice.get(device))
    this.#timerByDevice.set(
      device,
      setTimeout(() => void this.#readAtRest(device), restMs),
    )
  }

  /** A change that was made but not sent yet is left for the entry that will tell it: a state with it is not kept. */
  async #readAtRest(device: string): Promise<void> {
    const kith = this.#kithOf(device)
    if (!kith) return
    const kept = this.#stateByDevice.get(device)
    const state = await readOwnState(kith)
    if (this.#stateByDevice.get(device) !== kept) return // Read meanwhile, for an entry that is newer.
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
