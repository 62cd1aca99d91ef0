import type { Duplex } from 'node:stream'

/** Of the places, an eighth is kept for connections that are no sessions: requests, and devices that are turned away. */
const lobbyShare = 8
const smallestLobby = 8
const largestLobby = 256

/**
 * Places for sockets, of which the process can have only so many: with one more, the store could open no file. Sessions
 * stay; a connection in which nothing is under way gives up its place to a new one when there is no other, the one that is
 * quiet for the longest time first.
 */
export class Places {
  readonly #most: number
  readonly #mostSessions: number
  #open = new Set<Duplex>()
  /** Open, no session, and without a request under way; the longest quiet first. */
  #quiet = new Set<Duplex>()
  #sessions = new Set<Duplex>()

  constructor(most: number) {
    this.#most = most
    const lobby = Math.min(largestLobby, Math.max(smallestLobby, Math.ceil(most / lobbyShare)))
    this.#mostSessions = Math.max(1, most - lobby)
  }

  /** Sockets that are open. */
  get openCount(): number {
    return this.#open.size
  }

  /** A new connection: takes a place, or is ended at once. Can be called again for the same one. */
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

  /** A request is under way on it, until {@link hush}. */
  stir(socket: Duplex): void {
    this.#quiet.delete(socket)
  }

  /** Nothing is under way on it any more. */
  hush(socket: Duplex): void {
    this.#sessions.delete(socket)
    if (this.#open.has(socket)) this.#quiet.add(socket)
  }

  /** A device signs in: `false` when there is no place for a session. Else the place is taken until it is over. */
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
