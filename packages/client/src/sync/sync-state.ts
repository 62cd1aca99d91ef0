import type { Status } from '../api/events.ts'
import type { Store } from '../database/store.ts'

interface SyncStatePort {
  readonly store: Store
  setStatus(status: Status): void
  settled(): void
}

/** The progress of one session: whether the server has handed over everything, and has acknowledged everything. */
export class SyncState {
  readonly #port: SyncStatePort
  isCaughtUp = false
  isDrained = false
  #shown: Status | undefined

  constructor(port: SyncStatePort) {
    this.#port = port
  }

  get isSynced(): boolean {
    return this.isCaughtUp && this.isDrained
  }

  show(): void {
    if (this.isSynced) this.#port.settled()
    const status = this.isSynced && this.#port.store.unsent === 0 ? 'synced' : 'syncing'
    if (status === this.#shown) return
    this.#shown = status
    this.#port.setStatus(status)
  }
}
