import {
  type Audience,
  type Fields,
  planAudience,
  planAutoSync,
  planMessageAudience,
  planPresence,
  rosterSettings,
} from '@kith/shared'
import type { Tables } from '../database/contract.ts'
import { liveMemory } from '../live/memory.ts'
import { type OwnProfileState, readOwnProfile, sameOwnProfile } from '../live/own-profile.ts'
import { liveRows } from '../live/rows.ts'
import { type SyncStatus, sameSyncStatus } from '../live/sync-status.ts'
import { type Presence, samePresence } from '../presence/presence.ts'
import type { Subscribable } from '../subscribable.ts'
import type { Delivery } from '../sync/port.ts'
import type { FieldTypes } from './app-types.ts'
import { checkAudience, checkBoolean, checkIsObject, checkNotEmpty, checkTexts, checkUserId } from './arguments.ts'
import { type ContactFilter, contactFilter, searchText } from './contact-filter.ts'
import type { Profile } from './contact-profile.ts'
import { type Contact, keepContact, keepContacts, listContacts, readContact, sameContact } from './contacts.ts'
import type { KithCore } from './core.ts'
import { setCore } from './core-of.ts'
import type { KithEvents, Status } from './events.ts'
import { OwnProfile } from './own-profile.ts'
import { sameView, type ViewAs, viewAs } from './view-as.ts'

/**
 * One device of one user, returned by `openKith`. The app can name its fields and levels there: `F` contains the types of the
 * fields, `L` the names of the levels.
 */
export class Kith<F extends FieldTypes<F> = Fields, L extends string = never> {
  /** The user id. */
  readonly user: string
  /** The user's own profile. */
  readonly ownProfile: OwnProfile<F, L>
  readonly #core: KithCore

  /** @internal */
  constructor(core: KithCore) {
    this.user = core.user
    this.ownProfile = new OwnProfile(core.store, core.shown.levelNames)
    this.#core = core
    setCore(this, core)
  }

  /**
   * 'offline', 'connecting', 'syncing' while something has not been exchanged yet, or 'synced'. It is never 'synced' while a
   * change is unsent, even if the server refused the change [D6]. The event `status` reports each change.
   */
  get status(): Status {
    return this.#core.shown.status
  }

  /** The number of changes that are not yet on the server's disk. A bulk synchronisation is one change. */
  get unsent(): number {
    return this.#core.store.unsent
  }

  /** Connects, and reconnects whenever the connection is lost, until `disconnect()`. */
  connect(): void {
    this.#core.checkOpen()
    this.#core.link.connect()
  }

  /** Ends the connection. Later changes are stored on this device, and sent after the next `connect()`. */
  disconnect(): void {
    this.#core.checkOpen()
    this.#core.link.disconnect()
  }

  /**
   * Returns the profile of a user immediately, always the same object for the same user.
   *
   * The call is an access, so it has effects: the profile is fetched from the server. With automatic following, the user
   * is also followed, unless this user blocked or declined them. `profile.loaded` resolves when the server has answered.
   * `liveProfile()` shows a profile without an access.
   *
   * @param id - A user id.
   */
  getProfile(id: string): Profile<F, L> {
    this.#core.checkOpen()
    const user = checkUserId(id)
    if (user !== this.user) this.#core.access(user)
    return this.#core.shown.profile(user) as unknown as Profile<F, L>
  }

  /** Whether automatic following is on. */
  get isAutoSyncEnabled(): boolean {
    return this.#settings.autoSync
  }

  /**
   * Turns automatic following on or off: whether a received message, or an access to a profile, makes this user follow
   * the other user. It is on by default. Resolves when the setting is on this device's disk.
   *
   * @param isOn - Whether automatic following is on.
   * @throws KithError `roster-too-large` when the roster would exceed its limit, `database-failed` when nothing could be
   *   stored, `closed`.
   */
  async enableAutoSyncContacts(isOn: boolean): Promise<void> {
    checkBoolean(isOn, 'isOn')
    await this.#core.editRoster(roster => planAutoSync(roster, isOn))
  }

  /** The users who see level 0 of the own profile. */
  get publicAudience(): Audience {
    return this.#settings.audience
  }

  /**
   * Sets who sees level 0: 'everyone', 'contacts', or 'nobody' (only users with a grant). A narrower audience survives a wider
   * one that another device sets without having seen it [R4]. Resolves when the setting is on this device's disk.
   *
   * @param audience - Who sees level 0.
   * @throws KithError `roster-too-large` when the roster would exceed its limit, `database-failed` when nothing could be
   *   stored, `closed`.
   */
  async setPublicAudience(audience: Audience): Promise<void> {
    checkAudience(audience)
    await this.#core.editRoster(roster => planAudience(roster, audience, () => this.#core.shown.newNonce()))
  }

  /** The users whose messages reach this user; 'everyone' by default. */
  get messageAudience(): Audience {
    return this.#settings.messageAudience
  }

  /**
   * Sets whose messages reach this user's devices: those of 'everyone', of 'contacts' (users with a grant are contacts), or of
   * 'nobody'. A narrower audience survives a wider one that another device sets without having seen it [R4].
   *
   * @param audience - Whose messages arrive.
   * @returns Resolves when the setting is on this device's disk.
   * @throws KithError `roster-too-large` when the roster would exceed its limit, `database-failed` when nothing could be
   *   stored, `closed`.
   */
  async setMessageAudience(audience: Audience): Promise<void> {
    checkAudience(audience)
    await this.#core.editRoster(roster => planMessageAudience(roster, audience, () => this.#core.shown.newNonce()))
  }

  /**
   * Whether this user's presence is hidden: other users see neither that this user is online nor when this user was last
   * online.
   */
  get hidesPresence(): boolean {
    return this.#settings.hidesPresence
  }

  /**
   * Hides or shows the presence. Hiding survives a concurrent showing by a device that had not seen it [R4].
   *
   * @param isHidden - Whether the presence is hidden.
   * @returns Resolves when the setting is on this device's disk.
   * @throws KithError `roster-too-large` when the roster would exceed its limit, `database-failed` when nothing could be
   *   stored, `closed`.
   */
  async setHidePresence(isHidden: boolean): Promise<void> {
    checkBoolean(isHidden, 'isHidden')
    await this.#core.editRoster(roster => planPresence(roster, isHidden, () => this.#core.shown.newNonce()))
  }

  /**
   * Whether a user is online, or when they were last online. Emits immediately, and after each change while it is subscribed
   * to: at most once in 10 seconds, and 10 seconds after the user went offline.
   *
   * It is `undefined` while it is unknown: without a connection; for a user whom this user neither follows nor accessed by
   * `getProfile`; and for a user who shows this user nothing, hides their presence, or blocks this user [V8]. If more than 256
   * users are watched at the same time, the newest subscriptions count.
   *
   * @param id - A user id.
   */
  livePresence(id: string): Subscribable<Presence | undefined> {
    this.#core.checkOpen()
    const user = checkUserId(id)
    const { presences } = this.#core.shown
    return liveMemory(
      listener => presences.listen(user, listener),
      () => presences.get(user),
      samePresence,
    )
  }

  /**
   * The rows of all users who are contacts, followed or blocked, or of those among them that match the filter, ordered by user
   * id. Emits after each change, by any tab. An unchanged row is the same object as before: treat rows as read-only. Emits the
   * error `database-failed` when the database cannot be read, and rows again at the latest when the database was opened again.
   *
   * @param filter - The conditions that a row must meet; `{}` gives all rows.
   */
  contacts(filter: ContactFilter<L> = {}): Subscribable<Contact<F>[]> {
    this.#core.checkOpen()
    const matches = contactFilter(filter, this.#core.shown.levelNames)
    const read = async (db: Tables): Promise<Contact[]> =>
      (await listContacts(db)).filter(contact => matches(contact, searchText))
    return liveRows(this.#core.store, read, keepContacts) as unknown as Subscribable<Contact<F>[]>
  }

  /**
   * Resolves to the current rows of `contacts()` in a new array, ordered by user id; with a filter, to the rows that match it.
   * The first call reads all rows from the database. Later calls read only the rows that changed, so ten thousand rows are
   * filtered within a frame. Treat rows as read-only. Rejects with `database-failed` when the database cannot be read.
   *
   * ```ts
   * await kith.getContacts({ isBlocked: false, query: 'ada lon' }) // Ada from London
   * ```
   *
   * @param filter - The conditions that a row must meet; `{}` gives all rows.
   * @returns Resolves to the rows.
   */
  async getContacts(filter: ContactFilter<L> = {}): Promise<Contact<F>[]> {
    this.#core.checkOpen()
    const { contacts, levelNames } = this.#core.shown
    return (await contacts.find(contactFilter(filter, levelNames))) as unknown as Contact<F>[]
  }

  /**
   * Removes many users in one transaction, each as `profile.remove()` does: contact, label, grants, follow and staged settings.
   * Blocks stay. Resolves to the number of users for whom something changed, when the removal is on this device's disk. Rejects
   * with a `TypeError`, and removes no user, if an id is wrong. Rejects with `database-failed` when nothing could be stored.
   *
   * @param ids - User ids; each counts once.
   */
  async removeContacts(ids: readonly string[]): Promise<number> {
    this.#core.checkOpen()
    const users = new Set(checkTexts(ids, 'ids').map((id, index) => checkUserId(id, `ids[${index}]`)))
    if (users.has(this.user)) throw new TypeError("ids must not contain the own id: one's own profile can't be removed")
    return this.#core.removeContacts(users)
  }

  /**
   * The row of any user, as in `contacts()`; for an unknown user, an empty row. Emits after each change. This is not an access:
   * nothing is fetched, and no follow begins.
   *
   * @param id - A user id.
   */
  liveProfile(id: string): Subscribable<Contact<F>> {
    this.#core.checkOpen()
    const user = checkUserId(id)
    const row: Subscribable<Contact> =
      user === this.user
        ? this.#live(() => this.#core.shown.row(user), sameContact)
        : liveRows(this.#core.store, db => readContact(db, user), keepContact)
    return row as unknown as Subscribable<Contact<F>>
  }

  /** The own profile and its privacy settings. Emits after each change, by any tab or device. */
  liveOwnProfile(): Subscribable<OwnProfileState<F>> {
    this.#core.checkOpen()
    const state = this.#live(() => readOwnProfile(this.#core.store.documents), sameOwnProfile)
    return state as unknown as Subscribable<OwnProfileState<F>>
  }

  /** `status` and `unsent`. Emits after each change. */
  liveSyncStatus(): Subscribable<SyncStatus> {
    this.#core.checkOpen()
    return liveMemory(
      listener => this.#core.shown.watchStatus(listener),
      () => ({ status: this.status, unsent: this.unsent }),
      sameSyncStatus,
    )
  }

  /**
   * What a user sees of the own profile, and why, as far as this device knows: by this user's blocks, grants, contacts and
   * audience. Unsent changes count as if they were sent. This device does not know whether the user has registered, blocks this
   * user, or is restricted by the backend; in these cases the user in fact sees nothing.
   *
   * @param id - A user id.
   * @returns Levels, fields and the reason.
   */
  viewAs(id: string): ViewAs<F> {
    return viewAs(this.#core.store.documents, this.user, checkUserId(id)) as unknown as ViewAs<F>
  }

  /**
   * The result of `viewAs()`. Emits after each change.
   *
   * @param id - A user id.
   */
  liveViewAs(id: string): Subscribable<ViewAs<F>> {
    this.#core.checkOpen()
    const user = checkUserId(id)
    const view = this.#live(() => this.viewAs(user) as unknown as ViewAs, sameView)
    return view as unknown as Subscribable<ViewAs<F>>
  }

  /**
   * Sends a direct message. Resolves or rejects within 10 seconds. A message is never sent twice.
   *
   * - 'delivered': a device of the recipient acknowledged it.
   * - 'undelivered': no device acknowledged it in time, the recipient may not receive it, or it was never sent (offline).
   * - 'unconfirmed': it was sent, and its outcome is unknown: the connection ended, or this user may not know whether the
   *   recipient is online (see `livePresence`) [V10].
   *
   * Rejects with `message-too-long`; with `too-many-messages` or `discovery-limit` and `retryAfterMs`, if it was not sent; or
   * with `closed`, if the client was already closed. Rejects with a `TypeError` for an empty text.
   *
   * @param to - The user id of the recipient.
   * @param text - The message, of at most 16 KiB.
   */
  async send(to: string, text: string): Promise<Delivery> {
    this.#core.checkOpen()
    checkNotEmpty(text, 'text')
    return this.#core.send(checkUserId(to, 'to'), text)
  }

  /**
   * Resolves when all earlier changes are on the server's disk, and this device has everything that this user may see. Waits
   * while offline. Rejects with the first refusal of a change [D5]; with `unauthorised` if the server refused a token that is a
   * string; with `closed`; or with `aborted` when the signal fires.
   *
   * @param options - `signal` ends the wait.
   */
  async whenSynced(options: { signal?: AbortSignal } = {}): Promise<void> {
    this.#core.checkOpen()
    checkIsObject(options)
    await this.#core.link.whenSynced(options.signal)
  }

  /**
   * Subscribes to an event. Returns an unsubscribe function.
   *
   * @param event - The name of the event.
   * @param listener - Called with the details of the event: see {@link KithEvents}.
   */
  on<E extends keyof KithEvents>(event: E, listener: (...details: KithEvents<F, L>[E]) => void): () => void {
    return this.#core.shown.listeners.on(event, listener as unknown as (...details: KithEvents[E]) => void)
  }

  /**
   * Ends the connection and closes the database, after pending writes. May be called twice.
   *
   * @returns Resolves when the database may be opened again.
   * @throws KithError `database-failed` when the storage does not close.
   */
  close(): Promise<void> {
    return this.#core.close()
  }

  /**
   * Deletes all data of this device, and closes the client. Rejects with `unsent-changes`, and deletes nothing, if changes of
   * any tab are not on the server's disk and `force` is not set. Changes that are made during the call reject with `closed`.
   *
   * @param options - `force` deletes unsent changes too.
   * @returns Resolves when the data is deleted.
   * @throws KithError `unsent-changes`, `closed`, or `database-failed` when the storage cannot be deleted.
   */
  async erase(options: { force?: boolean } = {}): Promise<void> {
    this.#core.checkOpen()
    checkIsObject(options)
    await this.#core.erase(checkBoolean(options.force ?? false, 'force'))
  }

  /** An observable of a value that `read` computes from the own documents in memory. */
  #live<T>(read: () => T, isSame: (a: T, b: T) => boolean): Subscribable<T> {
    return liveMemory(listener => this.#core.store.onChange(listener), read, isSame)
  }

  get #settings(): ReturnType<typeof rosterSettings> {
    return rosterSettings(this.#core.store.documents.roster.view)
  }
}
