import type { KithError } from '@kith/shared'
import { subprotocol, versionedSubprotocol } from '@kith/shared/wire'
import type { OpenStore } from '../database/store.ts'
import { isPresentable } from '../token.ts'
import { Connection } from './connection.ts'
import type { LinkHost } from './host.ts'
import type { Session } from './session.ts'
import { keepRenewing } from './token-renewal.ts'

/** Reports of an attempt to its connection manager. After `end` it reports nothing more. */
export interface AttemptPort {
  readonly host: LinkHost
  nextToken(): Promise<string>
  /** The socket is open: begins a session on it. */
  opened(connection: Connection, store: OpenStore, isVersioned: boolean): Session
  /** The database of the session was closed. */
  storeEnded(): void
  /** No database could be opened. */
  storeFailed(error: KithError): void
  /** There was no token, or no socket opened with it. */
  failed(cause: unknown): void
  unauthorised(token: string): void
  closed(code: number, reason: string, token: string, session: Session | undefined): void
}

/** One attempt to connect: it opens the database, gets a token and opens a socket. It lasts until the socket has closed. */
export class Attempt {
  readonly #port: AttemptPort
  /** The token that the server has just refused. */
  readonly #refused: string | undefined
  #connection: Connection | undefined
  #session: Session | undefined
  #isOver = false
  #stopRenewing: () => void = () => undefined
  #leaveStore: () => void = () => undefined

  constructor(port: AttemptPort, refused: string | undefined) {
    this.#port = port
    this.#refused = refused
  }

  async start(): Promise<void> {
    const store = await this.#openStore()
    if (!store) return
    try {
      const token = await this.#port.nextToken()
      if (this.#isOver) return
      if (isPresentable(token) && token !== this.#refused) this.#connection = this.#open(token, store)
      else this.#conclude(() => this.#port.unauthorised(token))
    } catch (cause) {
      this.#conclude(() => this.#port.failed(cause))
    }
  }

  /** Cancels the attempt. */
  end(): void {
    this.#conclude(() => undefined)
    this.#connection?.close()
  }

  /** Closes the socket, because the session cannot continue. */
  close(): void {
    this.#connection?.close()
  }

  get isOver(): boolean {
    return this.#isOver
  }

  async #openStore(): Promise<OpenStore | undefined> {
    try {
      const store = await this.#port.host.openStore()
      if (this.#isOver) return undefined
      this.#leaveStore = store.onEnd(() => this.#port.storeEnded())
      return store
    } catch (error) {
      this.#conclude(() => this.#port.storeFailed(error as KithError))
      return undefined
    }
  }

  #open(token: string, store: OpenStore): Connection {
    const { host } = this.#port
    const connection = new Connection(
      {
        opened: isVersioned => {
          this.#stopRenewing = keepRenewing(host, token, next => connection.send({ type: 'renew', token: next }))
          this.#session = this.#port.opened(connection, store, isVersioned)
        },
        message: (message, bytes) => this.#session?.take(message, bytes),
        closed: (code, reason) => {
          this.#session?.end()
          this.#conclude(() => this.#port.closed(code, reason, token, this.#session))
        },
      },
      {
        url: `${host.url}/v1/roster/${encodeURIComponent(host.user)}`,
        protocols: [subprotocol, `bearer.${token}`, versionedSubprotocol],
        WebSocket: host.WebSocket,
        clock: host.clock,
      },
    )
    return connection
  }

  /** Reports how the attempt ended, unless it was cancelled. */
  #conclude(report: () => void): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#leaveStore()
    this.#stopRenewing()
    report()
  }
}
