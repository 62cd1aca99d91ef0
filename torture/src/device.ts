import { setTimeout as pause } from 'node:timers/promises'
import { type Kith, type KithError, openKith, type Profile } from '@kith/client'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { WebSocket } from 'ws'
import { editShared, type Load, planEdit } from './edits.ts'
import { Ledger } from './ledger.ts'
import type { Random } from './random.ts'

export interface DeviceOptions {
  url: string
  token: string
  user: string
  /** Its number among its user's devices. `undefined` for a visitor, which edits nothing of its own. */
  number: number | undefined
  random: Random
  /** Called when a `whenSynced` resolved, so a new promise exists. */
  onAnswer(): void
}

/** A device of a user: the real client on a database of its own, its edits, and the promises that it received. */
export class Device {
  readonly ledger: Ledger
  readonly user: string
  /** Errors that the client reported to the app. The actions of these devices give no reason for an error. */
  readonly errors: KithError[] = []
  answers = 0
  readonly #options: DeviceOptions
  readonly #indexedDB: IDBFactory = new IDBFactory()
  readonly #profiles: Map<string, Profile> = new Map()
  #kith: Kith | undefined
  #isAsking = false

  private constructor(options: DeviceOptions) {
    this.#options = options
    this.user = options.user
    this.ledger = new Ledger(`${options.user}, device ${options.number}`)
  }

  static async open(options: DeviceOptions): Promise<Device> {
    const device = new Device(options)
    await device.#open(true)
    return device
  }

  get kith(): Kith {
    if (!this.#kith) throw new Error('the device is closed')
    return this.#kith
  }

  /**
   * Edits, requests promises, disconnects and reconnects, until it is stopped, with rests of at most `restMs`. Does not wait
   * for a server.
   */
  async live(until: AbortSignal, load: Load, restMs = 12): Promise<void> {
    const { random } = this.#options
    while (!until.aborted) {
      await this.#act(random.weighted({ edit: 30, shared: 2, ask: 14, leave: 1, come: 3, restart: 0.3 }), load)
      await pause(random.below(restMs))
    }
  }

  /** Resolves when all edits are on the server's disk, and all data that the user may see is on this device. */
  async settle(signal: AbortSignal): Promise<void> {
    const { count } = this.ledger
    this.kith.connect()
    await this.kith.whenSynced({ signal })
    this.#promised(count)
  }

  /**
   * Returns a user's profile as the app holds it. It is read from the database only once, and then updated by notifications.
   */
  async profile(id: string): Promise<Profile> {
    const held = this.#profiles.get(id)
    if (held) return held
    const profile = this.kith.getProfile(id)
    this.#profiles.set(id, profile)
    await profile.loaded
    return profile
  }

  async close(): Promise<void> {
    this.#profiles.clear()
    await this.#kith?.close()
    this.#kith = undefined
  }

  async #act(what: 'edit' | 'shared' | 'ask' | 'leave' | 'come' | 'restart', load: Load): Promise<void> {
    switch (what) {
      case 'edit':
        return this.#edit(load)
      case 'shared':
        return editShared(this.#options.random, this.kith)
      case 'ask':
        return this.#ask()
      case 'leave':
        return this.kith.disconnect()
      case 'come':
        return this.kith.connect()
      case 'restart':
        await this.close()
        await this.#open(this.#options.random.fraction() < 0.8)
    }
  }

  async #edit(load: Load): Promise<void> {
    const { random, user, number } = this.#options
    if (number === undefined) return
    const edit = planEdit(random, user, number, this.ledger.state, load)
    this.ledger.begin(edit)
    await edit.make(this.kith)
  }

  /** Does not wait. Edits continue meanwhile; they are not promised yet. */
  #ask(): void {
    if (this.#isAsking) return
    this.#isAsking = true
    const { count } = this.ledger
    this.kith.whenSynced().then(
      () => {
        this.#isAsking = false
        this.#promised(count)
      },
      () => {
        // The device was closed while it waited, so nothing was promised.
        this.#isAsking = false
      },
    )
  }

  #promised(count: number): void {
    this.answers++
    this.ledger.acknowledge(count)
    this.#options.onAnswer()
  }

  async #open(connect: boolean): Promise<void> {
    const { url, token, user } = this.#options
    this.#kith = await openKith({
      ...{ url, token, user, connect },
      indexedDB: this.#indexedDB,
      IDBKeyRange,
      WebSocket,
    })
    this.#kith.on('error', error => {
      // Devices in this test do sync the same contacts to other levels repeatedly.
      if (error.code !== 'sync-turns-back') this.errors.push(error)
    })
  }
}
