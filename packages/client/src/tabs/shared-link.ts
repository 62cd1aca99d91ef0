import { KithError } from '@kith/shared'
import type { Clock } from '../clock.ts'
import type { Status } from '../events.ts'
import type { Delivery, LinkPort } from '../link/port.ts'
import { type KithDatabase, writeMeta } from '../storage/database.ts'
import { databaseFailure } from '../storage/failure.ts'
import type { Store } from '../storage/store.ts'
import { holdLock, type LockManagerLike } from './lock.ts'
import { ask, type Question, type Reply, type Request, serve, takeWishes, type Wish, wish } from './requests.ts'
import type { TabsWatching } from './watching.ts'

/** A connection that this tab has of its own. */
export interface OwnLink extends LinkPort {
  wake(): void
  retryNow(): void
  /** The database is gone, or was. */
  restart(): void
  /** The database is another one. */
  renew(): void
  readonly isWanted: boolean
}

export interface SharedLinkPort {
  readonly db: KithDatabase
  readonly store: Store
  readonly clock: Clock
  readonly locks: LockManagerLike
  readonly lockName: string
  readonly watching: TabsWatching
  readonly status: () => Status
  newLink(): OwnLink
  /** This tab is the first, or goes on where another one ended. */
  tookOver(): Promise<void>
  setStatus(status: Status): void
  /** Reports what no call waits for, and gives it as the one error class. */
  failed(error: unknown): KithError
}

/** Nobody waits any longer for what was asked so long ago, in milliseconds. */
const lateMs = 15_000
/** What is done however late. */
const patient: readonly Request['type'][] = ['connect', 'disconnect', 'whenSynced']

/**
 * The connection of a device with several tabs. One of them, the holder of a lock, has the socket; what the others want is
 * asked of it through the database. When it closes, another one takes over, and does what is asked by then.
 */
export class SharedLink implements LinkPort {
  readonly #port: SharedLinkPort
  readonly #release: () => void
  readonly #closing: AbortController = new AbortController()
  /** Whom the app in this tab looked at: a look lives as long as the tab, whichever has the socket [V7]. */
  readonly #looks: Set<string> = new Set()
  #own: OwnLink | undefined
  #stopServing: () => void = () => undefined
  /** What this tab wanted last and could not store. */
  #unkept: Wish | undefined
  /** Resolves when what this tab wanted last is heeded. */
  #wished: Promise<void> = Promise.resolve()
  /** What the tab with the socket has told since is newer than what it was asked. */
  #hasHeardStatus = false

  constructor(port: SharedLinkPort) {
    this.#port = port
    this.#release = holdLock(port.locks, port.lockName, () => this.#takeOver())
    this.#ask({ type: 'status' })
      .then(status => {
        if (status && !this.#own && !this.#hasHeardStatus) port.setStatus(status as Status)
      })
      .catch((error: unknown) => this.#report(error))
  }

  connect(): void {
    this.#wish({ type: 'connect' })
  }

  disconnect(): void {
    this.#wish({ type: 'disconnect' })
  }

  async fetch(owner: string): Promise<void> {
    this.#looks.add(owner)
    await this.#wished // Else there is no connection yet to wait for.
    await this.#ask({ type: 'fetch', owner })
  }

  async send(to: string, text: string): Promise<Delivery> {
    return (await this.#ask({ type: 'send', to, text })) as Delivery
  }

  watch(users: readonly string[]): void {
    this.#port.watching.want(users)
  }

  async whenSynced(signal: AbortSignal | undefined): Promise<void> {
    if (this.#own) return this.#own.whenSynced(signal)
    await this.#port.store.idle()
    try {
      await this.#ask({ type: 'whenSynced' }, signal)
    } catch (error) {
      if (!(error instanceof KithError) || error.code !== 'database-lost') throw error
      await this.#port.store.refresh()
      await this.whenSynced(signal)
    }
  }

  /** Another tab has the socket now, and doesn't know whom this one shows. */
  lookAgain(): void {
    if (this.#own) return
    for (const owner of this.#looks) {
      this.#ask({ type: 'fetch', owner }).catch((error: unknown) => this.#report(error))
    }
  }

  heardStatus(status: Status): void {
    this.#hasHeardStatus = true
    this.#port.setStatus(status)
  }

  wake(): void {
    this.#own?.wake()
  }

  retryNow(): void {
    this.#own?.retryNow()
  }

  restart(): void {
    this.#own?.restart()
  }

  renew(): void {
    this.#own?.renew()
  }

  get isWanted(): boolean {
    return this.#own?.isWanted ?? false
  }

  /** The database is a new one, which does not know yet what the app wants. */
  async restored(): Promise<void> {
    if (this.#own) await writeMeta(this.#port.db, 'isWanted', this.#own.isWanted)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#stopServing()
    await this.#own?.close()
    this.#port.watching.close()
    this.#release()
  }

  #wish(request: Wish): void {
    const { db, store, clock } = this.#port
    this.#unkept = undefined
    const heeded = store.apart(() => wish(db, request, clock.now(), this.#closing.signal))
    this.#wished = heeded.catch((error: unknown) => {
      this.#report(error)
      if (this.#closing.signal.aborted) return
      // It can't be kept: this tab, at least, does as it is told.
      this.#unkept = request
      if (this.#own) this.#heed(this.#own, request)
    })
  }

  #heed(own: OwnLink, { type }: Wish): void {
    if (type === 'connect') own.connect()
    else own.disconnect()
  }

  #takeOver(): void {
    if (this.#closing.signal.aborted) return
    const own = this.#port.newLink()
    this.#own = own
    this.#port.setStatus('offline')
    this.#port.watching.takeOver(own)
    this.#port.tookOver().catch((error: unknown) => this.#report(error))
    this.#begin(own).catch((error: unknown) => this.#report(error))
  }

  async #begin(own: OwnLink): Promise<void> {
    const { db, store, clock } = this.#port
    const isWanted = await store.apart(() => takeWishes(db))
    if (this.#closing.signal.aborted) return
    if (this.#unkept) this.#heed(own, this.#unkept)
    else if (isWanted) own.connect()
    for (const owner of this.#looks) own.fetch(owner).catch((error: unknown) => this.#report(error))
    this.#stopServing = serve(db, {
      handle: request => this.#handle(own, request),
      isLate: ({ type }, askedAt) => !patient.includes(type) && clock.now() - askedAt > lateMs,
      failed: error => this.#port.failed(error),
    })
  }

  async #handle(own: OwnLink, request: Request): Promise<Reply> {
    switch (request.type) {
      case 'status':
        return this.#port.status()
      case 'connect':
      case 'disconnect':
        this.#heed(own, request)
        return undefined
      case 'fetch':
        await own.fetch(request.owner)
        return undefined
      case 'send':
        return own.send(request.to, request.text)
      case 'whenSynced':
        await own.whenSynced(undefined)
        return undefined
    }
  }

  async #ask(request: Question, signal?: AbortSignal): Promise<Reply> {
    if (this.#own) return this.#handle(this.#own, request)
    const { db, store, clock } = this.#port
    const closing = this.#closing.signal
    const either = signal ? AbortSignal.any([closing, signal]) : closing
    try {
      return await store.apart(() => ask(db, request, clock.now(), either))
    } catch (error) {
      if (closing.aborted) throw new KithError('closed', 'This client was closed')
      if (signal?.aborted) throw new KithError('aborted', 'The wait was aborted', { cause: signal.reason })
      throw error instanceof KithError ? error : databaseFailure(error)
    }
  }

  #report(error: unknown): void {
    if (!this.#closing.signal.aborted) this.#port.failed(error)
  }
}
