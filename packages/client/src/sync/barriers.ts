import type { ClientMessage } from '@kith/shared/wire'

/** The barriers of one session that the server has not acknowledged yet [D2]. */
export class Barriers {
  readonly #send: (message: ClientMessage) => void
  readonly #waiting: Map<number, { resolve: (isComplete: boolean) => void; reject: (reason: Error) => void }> =
    new Map()
  #lastId = 0
  #endedBy: Error | undefined

  constructor(send: (message: ClientMessage) => void) {
    this.#send = send
  }

  /** Resolves when everything sent before is on the server's disk, to whether the server admitted all of it. */
  raise(withFeed: boolean): Promise<boolean> {
    if (this.#endedBy) return Promise.reject(this.#endedBy)
    this.#lastId++
    const id = this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#send({ type: 'barrier', id, withFeed })
    })
  }

  reached(id: number, isComplete: boolean): void {
    this.#waiting.get(id)?.resolve(isComplete)
    this.#waiting.delete(id)
  }

  end(reason: Error): void {
    this.#endedBy = reason
    for (const { reject } of this.#waiting.values()) reject(reason)
    this.#waiting.clear()
  }
}

/** The socket is closed. The operations that waited for it are tried again with the next one. */
export class SessionEnded extends Error {}
