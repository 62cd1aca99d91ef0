import { KithError } from '@kith/shared'
import type { DeviceDatabase, Tables } from '../database/contract.ts'
import { closed } from '../database/failure.ts'
import type { OwnDocuments } from '../database/own-documents.ts'
import type { QueryObserver } from '../database/query-observer.ts'
import { repeatedly } from '../database/repeatedly.ts'
import type { DeviceStore } from '../database/store.ts'
import type { Outcome, Work } from '../database/work.ts'
import { Signal } from '../signal.ts'
import { Device } from './device.ts'
import { followLives } from './live-query.ts'
import { isLoss } from './loss.ts'
import { type DatabasePlace, loadFrom, recover } from './recover.ts'

type Life =
  | { state: 'open'; device: Device }
  /** It is open no more. `next`: the next life has begun to open; absent: the next call opens it. */
  | { state: 'lost'; device: Device; next?: Promise<Device> }
  | { state: 'closed'; device: Device }

/**
 * This device's data, from one life of its database to the next. When the database is lost, what memory holds is saved in
 * a new one, and the work that failed with it is done again. Meanwhile the getters show the documents as last known.
 */
export class Lifecycle implements DeviceStore {
  readonly changing: Signal<[outcome: Outcome]> = new Signal()
  readonly committed: Signal<[outcome: Outcome]> = new Signal()
  /** There is nothing more to be done with this client. */
  readonly ended: Signal<[error: KithError]> = new Signal()
  /** Opening another database failed, and no call waits for it. */
  readonly failed: Signal<[error: unknown]> = new Signal()
  readonly #opened: Signal<[isAnother: boolean]> = new Signal()
  readonly #changed: Signal<[]> = new Signal()
  readonly #place: DatabasePlace
  #life: Life
  #isClosing = false
  /** Pieces of work that no open device has: what is given later waits for them. */
  #held = 0
  #last: Promise<unknown> = Promise.resolve()

  private constructor(place: DatabasePlace, db: DeviceDatabase, documents: OwnDocuments) {
    this.#place = place
    this.#life = { state: 'open', device: this.#newDevice(db, documents) }
    this.#life.device.onEnd(() => this.#lost())
  }

  /** Begins on a database that is open and set up. */
  static async open(place: DatabasePlace, db: DeviceDatabase): Promise<Lifecycle> {
    return new Lifecycle(place, db, await loadFrom(db))
  }

  get db(): DeviceDatabase {
    return this.#life.device.db
  }

  get documents(): OwnDocuments {
    return this.#life.device.documents
  }

  get unsent(): number {
    return this.#life.device.unsent
  }

  work<T>(body: (work: Work) => Promise<T>): Promise<T> {
    if (this.#isClosing) return Promise.reject(closed())
    const before = this.#last
    const device = this.#held === 0 ? this.present : undefined
    const attempt = device?.work(body).catch((error: unknown) => {
      if (!device.isOver || !isLoss(error, device.db)) throw error
      return this.#inTurn(before, body)
    })
    const result = attempt ?? this.#inTurn(before, body)
    this.#last = result.catch(() => undefined)
    return result
  }

  use<T>(query: (db: DeviceDatabase) => PromiseLike<T>): Promise<T> {
    return this.#run(device => device.use(query))
  }

  async refresh(): Promise<void> {
    await this.work(async () => undefined)
  }

  async idle(): Promise<void> {
    await this.#last
    await this.#life.device.idle()
  }

  onChange(listener: () => void): () => void {
    return this.#changed.on(listener)
  }

  onOpen(listener: (isAnother: boolean) => void): () => void {
    return this.#opened.on(listener)
  }

  live<T>(query: (db: Tables) => Promise<T>, observer: QueryObserver<T>): () => void {
    return followLives(this, query, observer)
  }

  /** The device that is open, if there is one now. */
  get present(): Device | undefined {
    return this.#life.state === 'open' ? this.#life.device : undefined
  }

  /** Resolves to the open device, once there is one. Rejects with a KithError. */
  openStore(): Promise<Device> {
    return this.#run(async device => device)
  }

  async #device(): Promise<Device> {
    const life = this.#life
    if (life.state === 'closed') throw closed()
    if (life.state === 'open') return life.device
    life.next ??= this.#begin(life.device)
    return life.next
  }

  /** Closes the database, when the work that was given before is done, and refuses other work. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.idle()
    if (this.#life.state === 'lost') await this.#life.next?.catch(() => undefined)
    const { device } = this.#life
    this.#life = { state: 'closed', device }
    await device.close()
  }

  /** Does work that no open device has taken, or that one took in vain: after all that was given before it. */
  async #inTurn<T>(before: Promise<unknown>, body: (work: Work) => Promise<T>): Promise<T> {
    this.#held++
    try {
      await before
      return await this.#run(device => device.work(body))
    } finally {
      this.#held--
    }
  }

  /** Does it again when the database was lost meanwhile; not for ever. */
  #run<T>(work: (device: Device) => Promise<T>): Promise<T> {
    let device: Device | undefined
    return repeatedly(
      async () => {
        device = undefined
        device = await this.#device()
        return work(device)
      },
      error => device?.isOver !== false && isLoss(error, device?.db),
    )
  }

  /** The database was deleted, or the platform took it away, or another one stands in its place. */
  #lost(): void {
    if (this.#life.state !== 'open' || this.#isClosing) return
    this.#life = { state: 'lost', device: this.#life.device }
    this.refresh().catch((error: unknown) => this.failed.emit(error))
  }

  async #begin(last: Device): Promise<Device> {
    try {
      await last.close()
      const { db, documents, isAnother } = await recover(this.#place, last.documents)
      const device = this.#newDevice(db, documents)
      this.#life = { state: 'open', device }
      device.onEnd(() => this.#lost())
      this.#opened.emit(isAnother)
      this.#changed.emit()
      return device
    } catch (error) {
      this.#life = { state: 'lost', device: last }
      if (error instanceof KithError) this.ended.emit(error)
      throw error
    }
  }

  #newDevice(db: DeviceDatabase, documents: OwnDocuments): Device {
    return new Device(db, documents, {
      changing: outcome => this.changing.emit(outcome),
      committed: outcome => {
        this.committed.emit(outcome)
        this.#changed.emit()
      },
      settled: () => this.#changed.emit(),
    })
  }
}
