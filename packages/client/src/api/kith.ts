import type { Audience } from '@kith/shared'
import { planAudience, planAutoSync, planMessageAudience, planPresence, rosterSettings } from '@kith/shared'
import { liveMemory } from '../live/memory.ts'
import { type OwnProfileState, readOwnProfile, sameOwnProfile } from '../live/own-profile.ts'
import { liveRows } from '../live/rows.ts'
import { type SyncStatus, sameSyncStatus } from '../live/sync-status.ts'
import type { Observable } from '../observable.ts'
import { type Presence, samePresence } from '../presence/presence.ts'
import type { Delivery } from '../sync/port.ts'
import { checkAudience, checkBoolean, checkIsObject, checkText, checkUserId } from './arguments.ts'
import type { Profile } from './contact-profile.ts'
import { type Contact, keepContact, keepContacts, listContacts, readContact, sameContact } from './contacts.ts'
import type { KithCore } from './core.ts'
import { setCore } from './core-of.ts'
import type { KithEvents, Status } from './events.ts'
import { OwnProfile } from './own-profile.ts'
import { sameView, type ViewAs, viewAs } from './view-as.ts'

/** One device of one user. An app gets it from {@link openKith}. */
export class Kith {
  /** The user id. */
  readonly user: string
  readonly ownProfile: OwnProfile
  readonly #core: KithCore

  /** @internal */
  constructor(core: KithCore) {
    this.user = core.user
    this.ownProfile = new OwnProfile(core.store)
    this.#core = core
    setCore(this, core)
  }

  /**
   * 'offline', 'connecting', 'syncing' while something is still to be exchanged, or 'synced'. It is never 'synced' while a
   * change is unsent, also if the server refused it [D6]. The event `status` reports each change.
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

  /** Ends the connection. Changes are stored on this device meanwhile, and sent after the next `connect()`. */
  disconnect(): void {
    this.#core.checkOpen()
    this.#core.link.disconnect()
  }

  /**
   * Returns the profile of a user at once, always the same object for the same user.
   *
   * The call is an access, so it has effects: the profile is fetched from the server. With automatic synchronisation the user
   * is also followed, unless this user blocked or declined them. `profile.loaded` resolves when the answer is here.
   * `liveProfile()` shows a profile without an access.
   */
  getProfile(id: string): Profile {
    this.#core.checkOpen()
    const user = checkUserId(id)
    if (user !== this.user) this.#core.access(user)
    return this.#core.shown.profile(user)
  }

  /**
   * Switches automatic synchronisation: whether a received message, or an access to a profile, makes this user follow the
   * other user. It is on at first. Resolves when the setting is on this device's disk.
   */
  async enableAutoSyncContacts(isOn: boolean): Promise<void> {
    checkBoolean(isOn, 'enableAutoSyncContacts')
    await this.#core.editRoster(roster => planAutoSync(roster, isOn))
  }

  /** The users who see level 0 of the own profile. */
  get publicAudience(): Audience {
    return this.#settings.audience
  }

  /**
   * Sets who sees level 0: 'everyone', 'contacts' only, or 'nobody' without a grant. A narrower audience survives a wider one
   * that another device sets without having seen it [R4]. Resolves when the setting is on this device's disk.
   */
  async setPublicAudience(audience: Audience): Promise<void> {
    checkAudience(audience)
    await this.#core.editRoster(roster => planAudience(roster, audience, () => this.#core.shown.newNonce()))
  }

  /** The users whose messages reach this user; 'everyone' at first. */
  get messageAudience(): Audience {
    return this.#settings.messageAudience
  }

  /**
   * Sets whose messages reach this user's devices: of 'everyone', of 'contacts' only (users with a grant are contacts), or of
   * 'nobody'. A narrower audience survives a wider one that another device sets without having seen it [R4].
   */
  async setMessageAudience(audience: Audience): Promise<void> {
    checkAudience(audience)
    await this.#core.editRoster(roster => planMessageAudience(roster, audience, () => this.#core.shown.newNonce()))
  }

  /** Whether other users see neither that this user is online nor when they last were. */
  get hidesPresence(): boolean {
    return this.#settings.hidesPresence
  }

  /** Hides or shows the presence. A hiding survives a showing by a device that had not seen it [R4]. */
  async setHidePresence(isHidden: boolean): Promise<void> {
    checkBoolean(isHidden, 'setHidePresence')
    await this.#core.editRoster(roster => planPresence(roster, isHidden, () => this.#core.shown.newNonce()))
  }

  /**
   * Whether a user is online, or when they were last online. Emits at once, and after each change while it is subscribed to:
   * at most once in 10 seconds, and 10 seconds after the user went offline.
   *
   * It is `undefined` while it is not known: without a connection; of a user whom this user neither follows nor accessed by
   * `getProfile`; and of a user who shows this user nothing, hides their presence, or blocks this user [V8]. Of more than
   * 256 users at once the newest subscriptions count.
   */
  livePresence(id: string): Observable<Presence | undefined> {
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
   * The rows of all users who are contacts, followed or blocked, ordered by user id. Emits after each change, by any tab. A
   * row that did not change is the same object as before: treat rows as read-only. Ends with `database-failed` when the
   * database cannot be read.
   */
  contacts(): Observable<Contact[]> {
    this.#core.checkOpen()
    return liveRows(this.#core.store, listContacts, keepContacts)
  }

  /**
   * The row of any user, as in `contacts()`; of an unknown user an empty row. Emits after each change. It is not an access:
   * nothing is fetched, and no follow begins.
   */
  liveProfile(id: string): Observable<Contact> {
    this.#core.checkOpen()
    const user = checkUserId(id)
    if (user !== this.user) return liveRows(this.#core.store, db => readContact(db, user), keepContact)
    return this.#live(() => this.#core.shown.row(user), sameContact)
  }

  /** The own profile and its privacy settings. Emits after each change, by any tab or device. */
  liveOwnProfile(): Observable<OwnProfileState> {
    this.#core.checkOpen()
    return this.#live(() => readOwnProfile(this.#core.store.documents), sameOwnProfile)
  }

  /** `status` and `unsent`. Emits after each change. */
  liveSyncStatus(): Observable<SyncStatus> {
    this.#core.checkOpen()
    return liveMemory(
      listener => this.#core.shown.watchStatus(listener),
      () => ({ status: this.status, unsent: this.unsent }),
      sameSyncStatus,
    )
  }

  /**
   * What a user sees of the own profile, and why, as far as this device knows: by this user's blocks, grants, contacts and
   * audience. Unsent changes count as if they were sent. This device does not know whether the user has registered, blocks
   * this user, or is restricted by the backend: in these cases the user sees nothing.
   */
  viewAs(id: string): ViewAs {
    return viewAs(this.#core.store.documents, this.user, checkUserId(id))
  }

  /** The result of `viewAs()`. Emits after each change. */
  liveViewAs(id: string): Observable<ViewAs> {
    this.#core.checkOpen()
    const user = checkUserId(id)
    return this.#live(() => this.viewAs(user), sameView)
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
   * with `closed`, if the client was closed before. An empty text is a `TypeError`.
   */
  async send(to: string, text: string): Promise<Delivery> {
    this.#core.checkOpen()
    if (checkText(text, 'A message') === '') throw new TypeError('A message must not be empty')
    return this.#core.send(checkUserId(to), text)
  }

  /**
   * Resolves when all changes made before are on the server's disk, and this device has what this user may see. Waits while
   * offline. Rejects with the first refusal of a change [D5]; with `unauthorised` if the server refused a token that is a
   * string; with `closed`; or with `aborted` when the signal fires.
   */
  async whenSynced(options: { signal?: AbortSignal } = {}): Promise<void> {
    this.#core.checkOpen()
    checkIsObject(options)
    await this.#core.link.whenSynced(options.signal)
  }

  /** Subscribes to an event. Returns an unsubscribe function. */
  on<E extends keyof KithEvents>(event: E, listener: (...details: KithEvents[E]) => void): () => void {
    return this.#core.shown.listeners.on(event, listener)
  }

  /** Ends the connection and closes the database, after the writes that were begun. May be called twice. */
  close(): Promise<void> {
    return this.#core.close()
  }

  /**
   * Deletes all data of this device, and closes the client. Rejects with `unsent-changes`, and deletes nothing, while changes
   * are not on the server's disk, unless `force` is set.
   */
  async erase(options: { force?: boolean } = {}): Promise<void> {
    this.#core.checkOpen()
    checkIsObject(options)
    await this.#core.erase(checkBoolean(options.force ?? false, 'force'))
  }

  /** What is read of the own documents in memory, again whenever these changed. */
  #live<T>(read: () => T, isSame: (a: T, b: T) => boolean): Observable<T> {
    return liveMemory(listener => this.#core.store.onChange(listener), read, isSame)
  }

  get #settings(): ReturnType<typeof rosterSettings> {
    return rosterSettings(this.#core.store.documents.roster.view)
  }
}
