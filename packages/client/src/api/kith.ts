import {
  type Audience,
  type ErrorCode,
  KithError,
  planAudience,
  planAutomaticFollow,
  planAutoSync,
  planMessageAudience,
  planPresence,
  rosterSettings,
  utf8Length,
} from '@kith/shared'
import type { Observable } from 'dexie'
import type { Clock } from '../clock.ts'
import { edit } from '../database/edit.ts'
import type { Happening } from '../database/people.ts'
import type { Store } from '../database/store.ts'
import type { Outcome } from '../database/work.ts'
import type { Erasure } from '../device/registry.ts'
import { liveMemory } from '../live/memory.ts'
import { type OwnProfileState, readOwnProfile, sameOwnProfile } from '../live/own-profile.ts'
import { liveRows } from '../live/rows.ts'
import { type SyncStatus, sameSyncStatus } from '../live/sync-status.ts'
import { type Presence, samePresence } from '../presence/presence.ts'
import { Presences } from '../presence/presences.ts'
import type { Delivery, LinkPort } from '../sync/port.ts'
import { checkAudience, checkBoolean, checkIsObject, checkText, checkUserId } from './arguments.ts'
import { Profile } from './contact-profile.ts'
import { type Contact, keepContact, keepContacts, listContacts, readContact, sameContact } from './contacts.ts'
import type { IncomingMessage, KithEvents, Listeners, Status } from './events.ts'
import { OwnProfile } from './own-profile.ts'
import { sameView, type ViewAs, viewAs } from './view-as.ts'

/** What a client is made of, for the classes that belong to it. Not for apps. */
export interface Internals {
  readonly user: string
  readonly store: Store
  readonly link: LinkPort
  readonly clock: Clock
  newNonce(): string
  /** Closes the database and gives its name free. */
  closeDatabase(): Promise<void>
  /** Before it is deleted: so that no other tab writes it again. Returns whether no tab has noted it yet. */
  noteErased(why: Erasure): Promise<boolean>
  /** Deletes the database, and the memory of this visit. */
  deleteDatabase(): Promise<void>
}

/** One device of one user: see {@link openKith}. */
export class Kith {
  /** The user id. */
  readonly user: string
  readonly ownProfile: OwnProfile
  /** @internal */
  readonly internals: Internals
  /** @internal */
  readonly presences: Presences
  readonly #listeners: Listeners
  readonly #profiles: Map<string, Profile> = new Map()
  /** What the tab with the connection says. */
  #linkStatus: Status = 'offline'
  /** What the app was last told. */
  #toldStatus: Status = 'offline'
  #closing: Promise<void> | undefined

  /** @internal Apps call `openKith`. */
  constructor(internals: Internals, listeners: Listeners) {
    this.user = internals.user
    this.internals = internals
    this.#listeners = listeners
    this.ownProfile = new OwnProfile(internals.store)
    this.presences = new Presences(internals.clock, users => internals.link.watch(users))
    internals.store.watch(() => this.#tellStatus())
  }

  /** Never 'synced' while something is unsent, be it refused [D6]. */
  get status(): Status {
    return this.#linkStatus === 'synced' && this.unsent > 0 ? 'syncing' : this.#linkStatus
  }

  /** How many changes are not yet on the server's disk; a bulk synchronisation is one. */
  get unsent(): number {
    return this.internals.store.unsent
  }

  /** Who sees level 0. */
  get publicAudience(): Audience {
    return rosterSettings(this.internals.store.documents.roster.view).audience
  }

  /** Connects, and keeps connecting while the network comes and goes, until `disconnect()`. */
  connect(): void {
    this.#checkOpen()
    this.internals.link.connect()
  }

  disconnect(): void {
    this.#checkOpen()
    this.internals.link.disconnect()
  }

  /**
   * Somebody's profile, at once; always the same object for the same user. This is an access: the profile is fetched and,
   * with automatic synchronisation, followed, unless the user blocks or declined them.
   */
  getProfile(id: string): Profile {
    this.#checkOpen()
    const user = checkUserId(id)
    const profile = this.#profile(user)
    if (user !== this.user) profile.setLoaded(this.#access(profile))
    return profile
  }

  /** Whether receiving a message from somebody, or accessing their profile, follows them. On at first. */
  async enableAutoSyncContacts(isOn: boolean): Promise<void> {
    checkBoolean(isOn, 'enableAutoSyncContacts')
    await this.#editRoster(roster => planAutoSync(roster, isOn))
  }

  async setPublicAudience(audience: Audience): Promise<void> {
    checkAudience(audience)
    await this.#editRoster(roster => planAudience(roster, audience, () => this.internals.newNonce()))
  }

  /** Whose messages reach this user; everyone's at first. */
  get messageAudience(): Audience {
    return rosterSettings(this.internals.store.documents.roster.view).messageAudience
  }

  /**
   * Lets messages of everyone, of contacts only (those with a grant are contacts), or of nobody else reach this user's
   * devices. A narrower audience survives every wider one on a device that had not seen it yet [R4].
   */
  async setMessageAudience(audience: Audience): Promise<void> {
    checkAudience(audience)
    await this.#editRoster(roster => planMessageAudience(roster, audience, () => this.internals.newNonce()))
  }

  /** Whether this user keeps from everybody whether they are online, and when they last were. */
  get hidesPresence(): boolean {
    return rosterSettings(this.internals.store.documents.roster.view).hidesPresence
  }

  /** Hides or shows it. A hiding survives every showing on a device that had not seen it yet [R4]. */
  async setHidePresence(isHidden: boolean): Promise<void> {
    checkBoolean(isHidden, 'setHidePresence')
    await this.#editRoster(roster => planPresence(roster, isHidden, () => this.internals.newNonce()))
  }

  /**
   * Whether somebody is online, or when they last were, as long as this is subscribed to, and again whenever it changes:
   * coming at once, going after 10 seconds, and no more than once in 10 seconds. `undefined` while that is not known: without a
   * connection, of those whom this user neither follows nor looked at by `getProfile`, and of those who show this user
   * nothing, hide it, or block [V8]. Of more than 256 at once the newest are watched.
   */
  livePresence(id: string): Observable<Presence | undefined> {
    this.#checkOpen()
    const user = checkUserId(id)
    return liveMemory(
      listener => this.presences.listen(user, listener),
      () => this.presences.get(user),
      samePresence,
    )
  }

  /**
   * Everyone contacted, followed or blocked, by user id; emits again whenever one of them changes, in whichever tab. Rows
   * that look as before are the same objects as before: treat them as read-only.
   */
  contacts(): Observable<Contact[]> {
    this.#checkOpen()
    return liveRows(this.internals.store.db, db => listContacts(db), keepContacts)
  }

  /**
   * The row of one person, whoever they are, as `contacts()` gives it; of somebody unknown an empty one. Emits again
   * whenever it looks different. It is no access: nothing is fetched, nobody followed.
   */
  liveProfile(id: string): Observable<Contact> {
    this.#checkOpen()
    const user = checkUserId(id)
    const { store } = this.internals
    if (user !== this.user) return liveRows(store.db, db => readContact(db, user), keepContact)
    return liveMemory(
      listener => store.watch(listener),
      () => this.#profile(user).row,
      sameContact,
    )
  }

  /** The own profile, its public audience and whether presence is hidden; emits again whenever one changes, in whichever tab or device. */
  liveOwnProfile(): Observable<OwnProfileState> {
    this.#checkOpen()
    const { store } = this.internals
    return liveMemory(
      listener => store.watch(listener),
      () => readOwnProfile(store.documents),
      sameOwnProfile,
    )
  }

  /** `status` and `unsent`; emits again whenever either changes. */
  liveSyncStatus(): Observable<SyncStatus> {
    this.#checkOpen()
    const watch = (listener: () => void): (() => void) => {
      const stops = [this.on('status', listener), this.internals.store.watch(listener)]
      return () => {
        for (const stop of stops) stop()
      }
    }
    return liveMemory(watch, () => ({ status: this.status, unsent: this.unsent }), sameSyncStatus)
  }

  /**
   * What that person sees of the own profile, and why, as far as this device can know: by the own block, grants, contact
   * and audience. Whether they block this user, have registered, or may not communicate with this user by the backend's
   * word, it can't know; then they see nothing. What is still unsent counts as if it were sent.
   */
  viewAs(id: string): ViewAs {
    return viewAs(this.internals.store.documents, this.user, checkUserId(id))
  }

  /** What `viewAs` gives, again whenever it looks different. */
  liveViewAs(id: string): Observable<ViewAs> {
    this.#checkOpen()
    const user = checkUserId(id)
    const { store } = this.internals
    return liveMemory(
      listener => store.watch(listener),
      () => this.viewAs(user),
      sameView,
    )
  }

  /**
   * Sends a direct message. Resolves or rejects within 10 seconds; it is never sent twice.
   *
   * - 'delivered': a device of the recipient took it.
   * - 'undelivered': no device took it in time, or none may, or it was never sent, as when offline.
   * - 'unconfirmed': it was sent, and nothing says what became of it: the connection ended, or this user may not know whether
   *   the recipient is online, as `livePresence` has it [V10].
   *
   * Rejects with `message-too-long`; with `too-many-messages` or `discovery-limit` and when to try again: then it was not
   * sent; with `closed` when the client is closed before it was sent. An empty text is a `TypeError`.
   */
  async send(to: string, text: string): Promise<Delivery> {
    this.#checkOpen()
    const user = checkUserId(to)
    if (checkText(text, 'A message') === '') throw new TypeError('A message must not be empty')
    const { messageBytes } = this.internals.store.documents.limits
    if (utf8Length(text) > messageBytes) {
      throw new KithError('message-too-long', `A message takes at most ${messageBytes} bytes`)
    }
    return this.internals.link.send(user, text)
  }

  /**
   * Resolves when all changes made so far are on the server's disk, and all that this user may see up to now is here.
   * Waits while offline. Rejects with the first refusal [D5]; with `unauthorised` when the server refused a token that is a
   * string, until `connect()` is called again; with `closed`; or with `aborted` when the signal fires.
   */
  async whenSynced(options: { signal?: AbortSignal } = {}): Promise<void> {
    this.#checkOpen()
    checkIsObject(options)
    await this.internals.link.whenSynced(options.signal)
  }

  /** Calls `listener` at each such event, until the function that comes back is called. */
  on<E extends keyof KithEvents>(event: E, listener: (...details: KithEvents[E]) => void): () => void {
    return this.#listeners.on(event, listener)
  }

  /** Ends the connection and closes the database, when what was begun is written. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /**
   * This device forgets everything. Rejects with `unsent-changes`, and forgets nothing, when changes are on no server yet,
   * unless `force` is set.
   */
  async erase(options: { force?: boolean } = {}): Promise<void> {
    this.#checkOpen()
    checkIsObject(options)
    const isForced = checkBoolean(options.force ?? false, 'force')
    await this.internals.store.idle()
    if (!isForced && this.unsent > 0) {
      throw new KithError('unsent-changes', `${this.unsent} changes are on no server yet`)
    }
    await this.close()
    await this.internals.noteErased('closed')
    await this.internals.deleteDatabase()
  }

  /** @internal Somebody's profile, without an access. */
  knownProfile(id: string): Profile {
    return this.#profile(checkUserId(id))
  }

  /** @internal What was stored, for the app. */
  committed({ people, happenings, isOwnProfileChanged }: Outcome): void {
    for (const [id, row] of people) this.#profiles.get(id)?.setRow(row)
    for (const { id } of happenings) this.#profile(id).setRow(people.get(id))
    this.#emit(happenings)
    if (isOwnProfileChanged) this.#listeners.emit('profile', this.#profile(this.user))
  }

  /** @internal What another tab stored, for the app in this one. */
  async committedElsewhere(ids: readonly string[] | 'many', happenings: readonly Happening[]): Promise<void> {
    const held = [...this.#profiles.values()].filter(profile => ids === 'many' || ids.includes(profile.id))
    const rows = await this.internals.store.db.people.bulkGet(held.map(profile => profile.id))
    held.forEach((profile, index) => {
      profile.setRow(rows[index])
    })
    for (const happening of happenings) await this.#profile(happening.id).load()
    this.#emit(happenings)
  }

  /** @internal */
  setStatus(status: Status): void {
    this.#linkStatus = status
    this.#tellStatus()
  }

  /** @internal A message arrived, here or in another tab. */
  showMessage(message: IncomingMessage): void {
    this.#listeners.emit('message', message)
  }

  /** @internal A message arrived; resolves when the sender is followed, if they are to be. */
  async received(message: IncomingMessage): Promise<void> {
    this.showMessage(message)
    await this.#followAutomatically(message.from)
  }

  /** @internal */
  failed(error: KithError): void {
    this.#listeners.emit('error', error)
  }

  #tellStatus(): void {
    const { status } = this
    if (status === this.#toldStatus) return
    this.#toldStatus = status
    this.#listeners.emit('status', status)
  }

  #emit(happenings: readonly Happening[]): void {
    for (const happening of happenings) {
      const profile = this.#profile(happening.id)
      if (happening.type === 'withdrawn') this.#listeners.emit('withdrawn', profile, happening.levels)
      else this.#listeners.emit(happening.type, profile)
    }
  }

  #profile(id: string): Profile {
    const held = this.#profiles.get(id)
    if (held) return held
    const profile = new Profile(this.internals, id)
    this.#profiles.set(id, profile)
    return profile
  }

  async #access(profile: Profile): Promise<void> {
    try {
      await Promise.all([this.#followAutomatically(profile.id), profile.load(), this.internals.link.fetch(profile.id)])
    } catch (error) {
      this.failed(asKithError(error, 'database-failed'))
    }
  }

  async #followAutomatically(user: string): Promise<void> {
    const plan = (roster: Parameters<typeof planAutomaticFollow>[0]): ReturnType<typeof planAutomaticFollow> =>
      rosterSettings(roster).autoSync ? planAutomaticFollow(roster, user) : []
    if (plan(this.internals.store.documents.roster.view).length === 0) return
    await this.#editRoster(plan)
  }

  async #editRoster(plan: Parameters<typeof edit>[2]): Promise<void> {
    this.#checkOpen()
    await edit(this.internals.store, 'roster', plan)
  }

  /** @internal The account was erased [D7]: deletes everything, then tells the app; this client is closed. */
  async accountErased(error: KithError): Promise<void> {
    if (this.#closing) return
    this.#closing = this.#endErased(error)
    await this.#closing
  }

  async #endErased(error: KithError): Promise<void> {
    // Of several tabs one deletes: a later one would delete what was begun after.
    const isFirst = await this.internals.noteErased('account-erased').catch(() => true)
    await this.#release()
    // If the database can't be deleted now, it is emptied when it is opened again.
    const deleting = isFirst ? this.internals.deleteDatabase() : Promise.resolve()
    await deleting.catch((cause: unknown) => this.failed(asKithError(cause, 'database-failed')))
    this.failed(error)
    this.#listeners.clear()
  }

  async #close(): Promise<void> {
    await this.#release()
    this.#listeners.clear()
  }

  async #release(): Promise<void> {
    this.presences.close()
    await this.internals.link.close()
    await this.internals.store.close()
    await this.internals.closeDatabase()
    this.setStatus('offline')
  }

  #checkOpen(): void {
    if (this.#closing) throw new KithError('closed', 'This client was closed')
  }
}

/** What was thrown, as the one error class. */
export function asKithError(error: unknown, code: ErrorCode): KithError {
  if (error instanceof KithError) return error
  return new KithError(code, error instanceof Error ? error.message : String(error), { cause: error })
}
