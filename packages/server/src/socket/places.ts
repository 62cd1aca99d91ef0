import type { Duplex } from 'node:stream'

/** One in this many places is kept for connections without a session: requests, and devices that are refused. */
const lobbyShare = 8
const smallestLobby = 8
const largestLobby = 256

/**
 * Places for sockets. A process can have only a limited number of sockets: with one more, the store could not open a file.
 * Sessions keep their places. If there is no free place, a new connection takes the place of an idle connection, the one that
 * has been idle for the longest time.
 */
export class Places {
  readonly #most: number
  readonly #mostSessions: number
  #open = new Set<Duplex>()
  /** Open, without a session, and without a request in progress. The one that has been idle for longest comes first. */
  #quiet = new Set<Duplex>()
  #sessions = new Set<Duplex>()

  constructor(most: number) {
    this.#most = most
    const lobby = Math.min(largestLobby, Math.max(smallestLobby, Math.ceil(most / lobbyShare)))
    this.#mostSessions = Math.max(1, most - lobby)
  }

  /** The number of open sockets. */
  get openCount(): number {
    return this.#open.size
  }

  /** A new connection takes a place, or is ended immediately. Can be called again for the same connection. */
  admit(socket: Duplex): void {
    if (this.#open.has(socket) || socket.destroyed) return
    if (this.#open.size >= this.#most && !this.#endQuietest()) {
      socket.destroy()
      return
    }
    this.#open.add(socket)
    this.#quiet.add(socket)
    socket.once('close', () => this.#forget(socket))
  }

  /** A request is in progress on it, until {@link hush}. */
  stir(socket: Duplex): void {
    this.#quiet.delete(socket)
  }

  /** Nothing is in progress on it any more. */
  hush(socket: Duplex): void {
    this.#sessions.delete(socket)
    if (this.#open.has(socket)) this.#quiet.add(socket)
  }

  /**
   * A device signs in. Returns `false` if there is no place for a session. Otherwise the place is taken until the session ends.
   */
  seat(socket: Duplex): boolean {
    if (this.#sessions.size >= this.#mostSessions) return false
    this.#quiet.delete(socket)
    this.#sessions.add(socket)
    return true
  }

  #endQuietest(): boolean {
    const [quietest] = this.#quiet
    if (!quietest) return false
    this.#forget(quietest)
    quietest.destroy()
    return true
  }

  #forget(socket: Duplex): void {
    this.#open.delete(socket)
    this.#quiet.delete(socket)
    this.#sessions.delete(socket)
  }
}
