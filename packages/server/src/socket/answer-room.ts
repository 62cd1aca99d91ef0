import type { Device } from '../device.ts'
import type { Relay } from '../relay/relay.ts'

/**
 * Bounds what waits to be taken by all sockets of one user together [S3]: the answer to a sync step 1, which may be a whole
 * roster, is only made when there is room for it.
 */
export class AnswerRoom {
  #relay: Relay
  #maxBytes: number
  #waiting = new Map<string, Set<() => void>>()

  constructor(relay: Relay, maxBytes: number) {
    this.#relay = relay
    this.#maxBytes = maxBytes
  }

  /** What the network has not taken of all that was handed to the user's sockets. */
  outstandingOf(user: string): number {
    let bytes = 0
    for (const session of this.#relay.sessionsOf(user)) bytes += session.outstandingBytes
    return bytes
  }

  /** Resolves when there is room for an answer, or the session has closed. */
  async whenFree(user: string, session: Pick<Device, 'isClosed'>): Promise<void> {
    while (!session.isClosed && this.outstandingOf(user) > this.#maxBytes) {
      await new Promise<void>(resolve => {
        this.#waiting.set(user, (this.#waiting.get(user) ?? new Set()).add(resolve))
      })
    }
  }

  /** Bytes were taken, or a session ended: those who wait look again. */
  changed(user: string): void {
    const waiting = this.#waiting.get(user)
    if (!waiting) return
    this.#waiting.delete(user)
    for (const resolve of waiting) resolve()
  }
}
