import type { Status } from '../api/events.ts'
import type { Store } from '../database/store.ts'

interface SyncStatePort {
  readonly store: Store
  setStatus(status: Status): void
  settled(): void
}

/** How far one session is: the server has handed over all, and has taken all. */
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
