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
  /** It is no longer open. `next`: the next life is being opened; if absent, the next call opens it. */
  | { state: 'lost'; device: Device; next?: Promise<Device> }
  | { state: 'closed'; device: Device }

/**
 * This device's data, across the lives of its database. When the database is lost, the data in memory is saved in a new one,
 * and failed work is repeated. Meanwhile the getters show the documents in their last known state.
 */
export class Lifecycle implements DeviceStore {
  readonly changing: Signal<[outcome: Outcome]> = new Signal()
  readonly committed: Signal<[outcome: Outcome]> = new Signal()
  /** Nothing more can be done with this client. */
  readonly ended: Signal<[error: KithError]> = new Signal()
  /** Opening another database failed, and no call waits for it. */
  readonly failed: Signal<[error: unknown]> = new Signal()
  readonly #opened: Signal<[isAnother: boolean]> = new Signal()
  readonly #changed: Signal<[]> = new Signal()
  readonly #place: DatabasePlace
  #life: Life
  #isClosing = false
  #isSealed = false
  /** The number of pieces of work that no open device has. Later work waits for them. */
  #held = 0
  #last: Promise<unknown> = Promise.resolve()

  private constructor(place: DatabasePlace, db: DeviceDatabase, documents: OwnDocuments) {
    this.#place = place
    this.#life = { state: 'open', device: this.#newDevice(db, documents) }
    this.#life.device.onEnd(() => this.#lost())
  }

  /** Begins on an open database that is set up. */
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
    if (this.#isClosing || this.#isSealed) return Promise.reject(closed())
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

  /** The open device, if there is one now. */
  get present(): Device | undefined {
    return this.#life.state === 'open' ? this.#life.device : undefined
  }

  /** Resolves to the open device. Rejects with a KithError. */
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

  /** Rejects later work of this tab; if changes are unsent after all earlier work, rejects with `unsent-changes` instead. */
  async seal(): Promise<void> {
    this.#isSealed = true
    try {
      await this.idle()
      await this.#run(device => device.refresh()) // Another tab may have saved a change.
      const { unsent } = this
      if (unsent === 0) return
      throw new KithError('unsent-changes', `${unsent} changes are on no server yet; pass \`force\` to delete them too`)
    } catch (error) {
      this.#isSealed = false
      throw error
    }
  }

  /** Closes the database after all earlier work, and rejects later work. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.idle()
    if (this.#life.state === 'lost') await this.#life.next?.catch(() => undefined)
    const { device } = this.#life
    this.#life = { state: 'closed', device }
    await device.close()
  }

  /** Runs work, after all earlier work, that no open device has accepted, or that failed because its device ended. */
  async #inTurn<T>(before: Promise<unknown>, body: (work: Work) => Promise<T>): Promise<T> {
    this.#held++
    try {
      await before
      return await this.#run(device => device.work(body))
    } finally {
      this.#held--
    }
  }

  /** Repeats work if the database was lost meanwhile; a limited number of times. */
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

  /** The database was deleted, the platform closed it, or there is another one instead. */
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
