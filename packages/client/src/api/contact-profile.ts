import {
  type ContactEdit,
  type ContactFacts,
  type Fields,
  type FieldValue,
  factsOf,
  isUnconfirmed,
  mergeLevels,
  planConfirmation,
  planContact,
  planRemoval,
  profileFields,
} from '@kith/shared'
import { edit } from '../database/edit.ts'
import type { PersonRow } from '../database/schema.ts'
import type { Store } from '../database/store.ts'
import { checkBoolean, checkLevels, checkText } from './arguments.ts'
import type { Contact } from './contacts.ts'

/** What a profile needs of the client that it belongs to. */
export interface ProfileHost {
  readonly user: string
  readonly store: Store
  newNonce(): string
}

/**
 * Somebody's profile: what the user's roster says of them, known at once, and what they show to the user, from this
 * device's replicas. Settings are staged, and written by `save`.
 */
export class Profile {
  /** The user id. */
  readonly id: string
  readonly #host: ProfileHost
  #staged: ContactEdit = {}
  #row: PersonRow | undefined
  #version = 0
  #loaded: Promise<void> = Promise.resolve()

  /** @internal An app gets it from `kith.getProfile`. */
  constructor(host: ProfileHost, id: string) {
    this.#host = host
    this.id = id
  }

  /** The levels of the user's own profile that they may see by a grant, ascending. */
  get accessLevels(): readonly number[] {
    return this.#facts.levels
  }

  /** They stand in the user's contacts, or have a grant. */
  get isContact(): boolean {
    return this.#facts.isContact || this.#facts.levels.length > 0
  }

  get isSubscribed(): boolean {
    return this.#facts.isSubscribed
  }

  get isBlocked(): boolean {
    return this.#facts.isBlocked
  }

  /** The user's own name for them; `undefined` when there is none. */
  get label(): string | undefined {
    return this.#host.store.documents.roster.view.get('labels', this.id) as string | undefined
  }

  /** Resolves when this device's replicas are there and, when connected, the server has answered. Never rejects. */
  get loaded(): Promise<void> {
    return this.#loaded
  }

  /** What they show to the user. If a field stands at several levels, the highest level's value. */
  get fields(): Fields {
    if (this.#isSelf) return mergeLevels(profileFields(this.#host.store.documents.profile.view))
    return { ...this.#row?.fields }
  }

  /** `undefined` when there is no such field, or none that the user may see. */
  get(name: string): FieldValue | undefined {
    checkText(name, "A field's name")
    const { fields } = this
    return Object.hasOwn(fields, name) ? fields[name] : undefined
  }

  /** They have registered, and show something to the user [V8]. */
  get hasJoined(): boolean {
    return this.#isSelf || (this.#row?.hasJoined ?? false)
  }

  /**
   * Their account was erased after the user gave them something, so the user id may have another holder: grants to it and a
   * follow of it do not count until `confirm()` or after `remove()` [D7].
   */
  get hasChangedHands(): boolean {
    return isUnconfirmed(this.#facts, this.#incarnation)
  }

  /** Stages: follow them, or stop and let automatic synchronisation not follow them again. */
  subscribe(isSubscribed: boolean): void {
    this.#stage({ isSubscribed: checkBoolean(isSubscribed, 'The subscription') })
  }

  /** Stages the levels that they may see. `[]`: a contact without grants; `null`: no contact, and no grants. */
  setProfileAccessLevels(levels: readonly number[] | null): void {
    this.#stage({ levels: checkLevels(levels) })
  }

  /** Stages the user's own name for them; `null` or the empty string removes it. */
  setLabel(label: string | null): void {
    this.#stage({ label: checkText(label ?? '', 'A label') })
  }

  block(isBlocked: boolean): void {
    this.#stage({ isBlocked: checkBoolean(isBlocked, 'The block') })
  }

  /**
   * Writes what was staged, and nothing else; resolves when that is on this device's disk [D1]. Rejects with a KithError
   * when it is beyond a limit (`label-too-long`, `roster-too-large`) [D5]: what was staged stays staged.
   */
  async save(): Promise<void> {
    const staged = this.#staged
    this.#staged = {}
    try {
      await edit(this.#host.store, 'roster', roster =>
        planContact(roster, this.id, staged, () => this.#host.newNonce()),
      )
    } catch (error) {
      this.#staged = { ...staged, ...this.#staged }
      throw error
    }
  }

  /**
   * Confirms that the user knows the new holder of this user id: the user's grants to it and follow of it count again [D7].
   * Resolves when that is on this device's disk, also offline. Writes nothing when the id has not changed hands.
   */
  async confirm(): Promise<void> {
    if (this.#isSelf) throw new TypeError("One's own profile can't be confirmed")
    await edit(this.#host.store, 'roster', roster => planConfirmation(roster, this.id, this.#incarnation))
  }

  /** Removes contact, label, grants and subscription, also what is staged; a block stays. */
  async remove(): Promise<void> {
    if (this.#isSelf) throw new TypeError("One's own profile can't be removed")
    this.#staged = {}
    await edit(this.#host.store, 'roster', roster => planRemoval(roster, this.id))
  }

  /** @internal As a row of `contacts()`, as far as it is known in memory. */
  get row(): Contact {
    const { id, label, fields, isContact, isSubscribed, isBlocked, hasJoined, hasChangedHands } = this
    const isWaiting = this.#row?.isWaiting ?? false
    return {
      id,
      label,
      fields,
      levels: [...this.accessLevels],
      isContact,
      isSubscribed,
      isBlocked,
      hasJoined,
      isWaiting,
      hasChangedHands,
    }
  }

  /** @internal Reads what this device holds of them, unless something newer came meanwhile. */
  async load(): Promise<void> {
    const version = this.#version
    const { store } = this.#host
    const row = await store.apart(() => store.db.people.get(this.id))
    if (version === this.#version) this.#row = row
  }

  /** @internal */
  setRow(row: PersonRow | undefined): void {
    this.#version++
    this.#row = row
  }

  /** @internal */
  setLoaded(loaded: Promise<void>): void {
    this.#loaded = loaded
  }

  get #isSelf(): boolean {
    return this.id === this.#host.user
  }

  get #facts(): ContactFacts {
    return factsOf(this.#host.store.documents.roster.view, this.id)
  }

  /** The incarnation that is to be confirmed; empty when there is none. */
  get #incarnation(): string {
    return this.#host.store.documents.hands.get(this.id)?.incarnation ?? ''
  }

  #stage(edit: ContactEdit): void {
    if (this.#isSelf) throw new TypeError("One's own profile takes no contact's settings")
    Object.assign(this.#staged, edit)
  }
}
