import { serialize } from 'node:v8'
import { type Kith, type KithOptions, openKith } from '@kith/client'
import type { KithError } from '@kith/shared'
import { decodeFrame } from '@kith/shared/wire'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { WebSocket } from 'ws'
import type { Calendar } from './calendar.ts'
import type { LifeServer } from './life-server.ts'

/** The cost and the errors of one session of an app. */
export interface Session {
  /** The time from connecting until all data was exchanged, in milliseconds. */
  tookMs: number
  /** The bytes of all frames, in both directions. */
  bytes: number
  /** The part of `bytes` in frames about the user's own documents. */
  documentBytes: number
  /** The errors that the app received. */
  errors: KithError[]
}

/** One device of a user, with Kith's own client. Its database is in memory, and is kept between the sessions of the app. */
export class Installation {
  readonly user: string
  readonly #server: LifeServer
  readonly #clock: Calendar
  #indexedDB = new IDBFactory()

  constructor(user: string, server: LifeServer, clock: Calendar) {
    this.user = user
    this.#server = server
    this.#clock = clock
  }

  /** Loses the storage, as when an app is installed again. */
  loseStorage(): void {
    this.#indexedDB = new IDBFactory()
  }

  /**
   * Opens the app, edits offline, connects until all data is exchanged, reads the stored data, and closes the app. A device
   * that the server disconnects meanwhile, as it does at a refounding, reconnects automatically.
   */
  async session(
    edit: (kith: Kith) => Promise<unknown> = async () => undefined,
    look: (kith: Kith) => unknown = () => undefined,
  ): Promise<Session> {
    const session: Session = { tookMs: 0, bytes: 0, documentBytes: 0, errors: [] }
    const kith = await this.#open(countedSocket(session))
    kith.on('error', error => session.errors.push(error))
    try {
      await edit(kith)
      const begun = performance.now()
      kith.connect()
      await kith.whenSynced()
      session.tookMs = performance.now() - begun
      await look(kith)
      return session
    } finally {
      await kith.close()
    }
  }

  async #open(WebSocket: NonNullable<KithOptions['WebSocket']>, attempts = 3): Promise<Kith> {
    const options = {
      ...{ url: this.#server.wsUrl, user: this.user, token: () => this.#server.token(this.user) },
      ...{
        databaseName: 'kith',
        indexedDB: this.#indexedDB,
        IDBKeyRange,
        connect: false,
        clock: this.#clock,
        WebSocket,
      },
    }
    try {
      return await openKith(options)
    } catch (error) {
      // The machine was suspended meanwhile. The database is then treated as one that does not answer.
      if (attempts === 1 || (error as KithError).code !== 'database-failed') throw error
      return this.#open(WebSocket, attempts - 1)
    }
  }

  /** Returns the number of rows of all tables, and their bytes. */
  async databaseSize(): Promise<{ bytes: number; rows: number }> {
    const database = await settled(this.#indexedDB.open('kith'))
    const size = { bytes: 0, rows: 0 }
    for (const name of database.objectStoreNames) {
      const all = await settled(database.transaction(name).objectStore(name).getAll())
      size.rows += all.length
      size.bytes += serialize(all).length
    }
    database.close()
    return size
  }
}

function countedSocket(counts: Session): NonNullable<KithOptions['WebSocket']> {
  const count = (frame: Uint8Array): void => {
    counts.bytes += frame.length
    const { type } = decodeFrame(frame)
    if (type === 'rosterSync' || type === 'ownProfile' || type === 'deflatedRoster')
      counts.documentBytes += frame.length
  }
  class Counted extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { perMessageDeflate: false })
      this.on('message', data => count(new Uint8Array(data as ArrayBuffer)))
    }
    override send(data: never): void {
      count(data)
      super.send(data)
    }
  }
  return Counted as unknown as NonNullable<KithOptions['WebSocket']>
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
