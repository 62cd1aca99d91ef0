import type { KithError } from '@kith/shared'
import type { Clock } from '../clock.ts'
import type { Happening } from '../database/people.ts'
import type { DeviceStore } from '../database/store.ts'
import type { Outcome } from '../database/work.ts'
import { Presences } from '../presence/presences.ts'
import type { LevelNames } from './app-types.ts'
import { ContactIndex } from './contact-index.ts'
import { Profile } from './contact-profile.ts'
import { type Contact, contactOfProfile } from './contacts.ts'
import { type IncomingMessage, Listeners, type Status } from './events.ts'
import { HeldProfile } from './held-profile.ts'

export interface ShownParts {
  /** The user id. */
  readonly user: string
  readonly store: DeviceStore
  readonly clock: Clock
  readonly newNonce: () => string
  readonly levelNames: LevelNames
}

/**
 * The state that the app sees: the profiles in memory, the status, presence and events. The connection, the store and the other
 * tabs report to it. It only reads stored data from them.
 */
export class Shown {
  readonly user: string
  readonly store: DeviceStore
  readonly newNonce: () => string
  readonly presences: Presences
  readonly levelNames: LevelNames
  readonly contacts: ContactIndex
  readonly listeners: Listeners = new Listeners()
  readonly #profiles: Map<string, { profile: Profile; held: HeldProfile }> = new Map()
  /** The status of the connection, in the tab that has it. */
  #linkStatus: Status = 'offline'
  /** The status that the last event reported. */
  #reportedStatus: Status = 'offline'

  constructor(parts: ShownParts) {
    this.user = parts.user
    this.store = parts.store
    this.newNonce = parts.newNonce
    this.levelNames = parts.levelNames
    this.presences = new Presences(parts.clock)
    this.contacts = new ContactIndex(parts.store)
    parts.store.onChange(() => this.#reportStatus())
  }

  /** Never 'synced' while a change is unsent, even if the server refused the change [D6]. */
  get status(): Status {
    return this.#linkStatus === 'synced' && this.store.unsent > 0 ? 'syncing' : this.#linkStatus
  }

  setStatus(status: Status): void {
    this.#linkStatus = status
    this.#reportStatus()
  }

  /**
   * Returns the profile object of a user, always the same one. This is not an access: nothing is fetched, and no follow begins.
   */
  profile(id: string): Profile {
    return this.#entry(id).profile
  }

  /** The data of a user's profile that is kept in memory. */
  held(id: string): HeldProfile {
    return this.#entry(id).held
  }

  /** Discards the staged settings of these users. */
  unstage(users: Iterable<string>): void {
    for (const user of users) this.#profiles.get(user)?.profile.unstage()
  }

  /** The row of a user, from memory. */
  row(id: string): Contact {
    const { profile, held } = this.#entry(id)
    return contactOfProfile(profile, held.row?.isWaiting ?? false)
  }

  /** Reads the data of a user that this device has. */
  async load(id: string): Promise<void> {
    await this.held(id).load(() => this.store.use(db => db.people.get(id)))
  }

  /** Calls `listener` when the status or the number of unsent changes may have changed. Returns an unsubscribe function. */
  watchStatus(listener: () => void): () => void {
    const stops = [this.listeners.on('status', listener), this.store.onChange(listener)]
    return () => {
      for (const stop of stops) stop()
    }
  }

  /** Shows the app the changes that this tab stored. */
  committed({ people, happenings, isOwnProfileChanged }: Outcome): void {
    this.contacts.mark(people.keys())
    for (const [id, row] of people) this.#profiles.get(id)?.held.set(row)
    for (const { id } of happenings) this.held(id).set(people.get(id))
    this.#emit(happenings)
    if (isOwnProfileChanged) this.listeners.emit('profile', this.profile(this.user))
  }

  /** Shows the app the stored rows of these users ('many': too many to name), and what happened. */
  async committedElsewhere(ids: readonly string[] | 'many', happenings: readonly Happening[]): Promise<void> {
    this.contacts.mark(ids)
    const changed = [...this.#profiles].filter(([id]) => ids === 'many' || ids.includes(id))
    const rows = await this.store.use(db => db.people.bulkGet(changed.map(([id]) => id)))
    for (const [index, [, { held }]] of changed.entries()) held.set(rows[index])
    for (const { id } of happenings) await this.load(id)
    this.#emit(happenings)
  }

  /** Shows the app a message that arrived in this tab or in another. */
  showMessage(message: IncomingMessage): void {
    this.listeners.emit('message', message)
  }

  /** Reports an error for which no call waits. */
  failed(error: KithError): void {
    this.listeners.emit('error', error)
  }

  #reportStatus(): void {
    const { status } = this
    if (status === this.#reportedStatus) return
    this.#reportedStatus = status
    this.listeners.emit('status', status)
  }

  #emit(happenings: readonly Happening[]): void {
    for (const happening of happenings) {
      const profile = this.profile(happening.id)
      if (happening.type === 'withdrawn') this.listeners.emit('withdrawn', profile, happening.levels)
      else this.listeners.emit(happening.type, profile)
    }
  }

  #entry(id: string): { profile: Profile; held: HeldProfile } {
    const known = this.#profiles.get(id)
    if (known) return known
    const held = new HeldProfile()
    const entry = { held, profile: new Profile(this, id, held) }
    this.#profiles.set(id, entry)
    return entry
  }
}
