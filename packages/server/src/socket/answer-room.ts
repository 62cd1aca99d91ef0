import type { Device } from '../device.ts'
import type { Relay } from '../relay/relay.ts'

/**
 * Bounds the bytes outstanding on all sockets of one user together [S3]. The answer to a sync step 1, which may be a whole
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

  /** The bytes of the user's sockets that the network has not accepted yet. */
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

  /** Bytes were accepted, or a session ended: waiting answers check again. */
  changed(user: string): void {
    const waiting = this.#waiting.get(user)
    if (!waiting) return
    this.#waiting.delete(user)
    for (const resolve of waiting) resolve()
  }
}
