import { type ErrorCode, KithError, planAutomaticFollow, rosterSettings, utf8Length } from '@kith/shared'
import type { Clock } from '../clock.ts'
import { edit } from '../database/edit.ts'
import type { Happening } from '../database/people.ts'
import type { Store } from '../database/store.ts'
import type { Outcome } from '../database/work.ts'
import type { Erasure } from '../device/registry.ts'
import { Presences } from '../presence/presences.ts'
import type { Delivery, LinkPort } from '../sync/port.ts'
import { checkUserId } from './arguments.ts'
import { Profile } from './contact-profile.ts'
import { type Contact, contactOfProfile } from './contacts.ts'
import { type IncomingMessage, Listeners, type Status } from './events.ts'
import { HeldProfile } from './held-profile.ts'

/** The parts that an open client is made of. */
export interface CoreParts {
  /** The user id. */
  readonly user: string
  readonly store: Store
  readonly link: LinkPort
  readonly clock: Clock
  newNonce(): string
  /** Closes the database, so that it can be opened again. */
  closeDatabase(): Promise<void>
  /** Notes that this device is to be deleted, so that no other tab writes it again. Returns whether this is the first note. */
  noteErased(why: Erasure): Promise<boolean>
  /** Deletes the database, and the note of who used this device last. */
  deleteDatabase(): Promise<void>
}

/**
 * What stands behind the calls of {@link Kith}: the profiles in memory, the listeners, the status, and the end of the
 * client. The connection, the store and the other tabs report to it.
 */
export class KithCore {
  readonly user: string
  readonly store: Store
  readonly link: LinkPort
  readonly presences: Presences
  readonly listeners: Listeners = new Listeners()
  readonly #parts: CoreParts
  readonly #profiles: Map<string, { profile: Profile; held: HeldProfile }> = new Map()
  /** The status of the connection, in whichever tab it is. */
  #linkStatus: Status = 'offline'
  /** The status that the last event reported. */
  #reportedStatus: Status = 'offline'
  #closing: Promise<void> | undefined

  constructor(parts: CoreParts) {
    this.#parts = parts
    this.user = parts.user
    this.store = parts.store
    this.link = parts.link
    this.presences = new Presences(parts.clock, users => parts.link.watch(users))
    parts.store.watch(() => this.#reportStatus())
  }

  newNonce(): string {
    return this.#parts.newNonce()
  }

  /** Never 'synced' while a change is unsent, also if the server refused it [D6]. */
  get status(): Status {
    return this.#linkStatus === 'synced' && this.store.unsent > 0 ? 'syncing' : this.#linkStatus
  }

  setStatus(status: Status): void {
    this.#linkStatus = status
    this.#reportStatus()
  }

  /** The profile object of a user, always the same one. Without an access: nothing is fetched, and no follow begins. */
  profile(id: string): Profile {
    return this.#entry(id).profile
  }

  /** The row of a user as memory holds it. */
  row(id: string): Contact {
    const { profile, held } = this.#entry(checkUserId(id))
    return contactOfProfile(profile, held.row?.isWaiting ?? false)
  }

  /** Accesses a profile: reads what this device holds, fetches the rest, and follows the user if that is automatic. */
  access(id: string): void {
    const { held } = this.#entry(id)
    const work = async (): Promise<void> => {
      try {
        await Promise.all([this.followAutomatically(id), this.load(id), this.link.fetch(id)])
      } catch (error) {
        this.failed(asKithError(error, 'database-failed'))
      }
    }
    held.loaded = work()
  }

  /** Reads what this device holds of a user. */
  async load(id: string): Promise<void> {
    const { store } = this
    await this.#entry(id).held.load(() => store.apart(() => store.db.people.get(id)))
  }

  async editRoster(plan: Parameters<typeof edit>[2]): Promise<void> {
    this.checkOpen()
    await edit(this.store, 'roster', plan)
  }

  /** Follows a user if automatic synchronisation is on and the user was neither blocked nor declined. */
  async followAutomatically(user: string): Promise<void> {
    const plan = (roster: Parameters<typeof planAutomaticFollow>[0]): ReturnType<typeof planAutomaticFollow> =>
      rosterSettings(roster).autoSync ? planAutomaticFollow(roster, user) : []
    if (plan(this.store.documents.roster.view).length === 0) return
    await this.editRoster(plan)
  }

  /** Sends a direct message. Rejects with `message-too-long`. */
  async send(to: string, text: string): Promise<Delivery> {
    const { messageBytes } = this.store.documents.limits
    if (utf8Length(text) > messageBytes) {
      throw new KithError('message-too-long', `A message takes at most ${messageBytes} bytes`)
    }
    return this.link.send(to, text)
  }

  /** Calls `listener` whenever the status or the number of unsent changes may have changed. Returns an unsubscribe function. */
  watchStatus(listener: () => void): () => void {
    const stops = [this.listeners.on('status', listener), this.store.watch(listener)]
    return () => {
      for (const stop of stops) stop()
    }
  }

  /** Shows the app what this tab stored. */
  committed({ people, happenings, isOwnProfileChanged }: Outcome): void {
    for (const [id, row] of people) this.#profiles.get(id)?.held.set(row)
    for (const { id } of happenings) this.#entry(id).held.set(people.get(id))
    this.#emit(happenings)
    if (isOwnProfileChanged) this.listeners.emit('profile', this.profile(this.user))
  }

  /** Shows the app what another tab stored: of these users, or of too many to name. */
  async committedElsewhere(ids: readonly string[] | 'many', happenings: readonly Happening[]): Promise<void> {
    const changed = [...this.#profiles].filter(([id]) => ids === 'many' || ids.includes(id))
    const rows = await this.store.db.people.bulkGet(changed.map(([id]) => id))
    for (const [index, [, { held }]] of changed.entries()) held.set(rows[index])
    for (const { id } of happenings) await this.load(id)
    this.#emit(happenings)
  }

  /** Shows the app a message that arrived in this tab or in another. */
  showMessage(message: IncomingMessage): void {
    this.listeners.emit('message', message)
  }

  /** Shows the app a message that arrived in this tab. Resolves when its sender is followed, if that is automatic. */
  async received(message: IncomingMessage): Promise<void> {
    this.showMessage(message)
    await this.followAutomatically(message.from)
  }

  /** Reports an error that no call waits for. */
  failed(error: KithError): void {
    this.listeners.emit('error', error)
  }

  checkOpen(): void {
    if (this.#closing) throw new KithError('closed', 'This client was closed')
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Closes the client and deletes this device's data; if changes are unsent, only when that is forced. */
  async erase(isForced: boolean): Promise<void> {
    await this.store.idle()
    const { unsent } = this.store
    if (!isForced && unsent > 0) {
      throw new KithError('unsent-changes', `${unsent} changes are on no server yet; pass \`force\` to delete them too`)
    }
    await this.close()
    await this.#parts.noteErased('closed')
    await this.#parts.deleteDatabase()
  }

  /** The account was erased [D7]: deletes this device's data, then reports the error; the client is closed. */
  async accountErased(error: KithError): Promise<void> {
    if (this.#closing) return
    this.#closing = this.#endErased(error)
    await this.#closing
  }

  async #endErased(error: KithError): Promise<void> {
    // One of several tabs deletes: a later deletion would remove a device that was begun since.
    const isFirst = await this.#parts.noteErased('account-erased').catch(() => true)
    await this.#release()
    // A database that cannot be deleted now is emptied when it is next opened.
    const deleting = isFirst ? this.#parts.deleteDatabase() : Promise.resolve()
    await deleting.catch((cause: unknown) => this.failed(asKithError(cause, 'database-failed')))
    this.failed(error)
    this.listeners.clear()
  }

  async #close(): Promise<void> {
    await this.#release()
    this.listeners.clear()
  }

  async #release(): Promise<void> {
    this.presences.close()
    await this.link.close()
    await this.store.close()
    await this.#parts.closeDatabase()
    this.setStatus('offline')
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

/** Returns a KithError as it is, and anything else as the cause of one with this code. */
export function asKithError(error: unknown, code: ErrorCode): KithError {
  if (error instanceof KithError) return error
  return new KithError(code, error instanceof Error ? error.message : String(error), { cause: error })
}
