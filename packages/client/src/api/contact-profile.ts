import {
  type ContactEdit,
  type ContactFacts,
  type Fields,
  factsOf,
  isUnconfirmed,
  mergeLevels,
  planConfirmation,
  planContact,
  planRemoval,
  profileFields,
} from '@kith/shared'
import { edit } from '../database/edit.ts'
import type { Store } from '../database/store.ts'
import type { Presences } from '../presence/presences.ts'
import type { FieldsOf, FieldTypes, Level, LevelNames } from './app-types.ts'
import { checkBoolean, checkText } from './arguments.ts'
import type { HeldProfile } from './held-profile.ts'
import { checkLevels } from './levels.ts'

/** The parts of the client that a profile uses. */
export interface ProfileHost {
  readonly user: string
  readonly store: Store
  readonly presences: Presences
  readonly levelNames: LevelNames
  newNonce(): string
}

/**
 * The profile of another user (or, read-only, of this user). Facts of this user's roster are available immediately. The fields
 * that the other user shows come from this device's replicas. Settings are staged, and written by `save()`.
 *
 * ```ts
 * await kith.getProfile('bob').subscribe(true).setProfileAccessLevels([1, 2, 5]).save()
 * ```
 */
export class Profile<F extends FieldTypes<F> = Fields, L extends string = never> {
  /** The user id. */
  readonly id: string
  readonly #host: ProfileHost
  readonly #held: HeldProfile
  #staged: ContactEdit = {}
  /** Of each save in progress, the settings that are staged again if it fails: those that nothing has replaced since. */
  readonly #saving = new Set<ContactEdit>()

  /** @internal */
  constructor(host: ProfileHost, id: string, held: HeldProfile) {
    this.#host = host
    this.id = id
    this.#held = held
  }

  /** The levels of the own profile that are granted to them, in ascending order. */
  get accessLevels(): readonly number[] {
    return this.#facts.levels
  }

  /** Whether they are a contact: in the user's contacts, or with a grant. */
  get isContact(): boolean {
    return this.#facts.isContact || this.#facts.levels.length > 0
  }

  /** Whether the user follows them. */
  get isSubscribed(): boolean {
    return this.#facts.isSubscribed
  }

  /** Whether the user blocks them. */
  get isBlocked(): boolean {
    return this.#facts.isBlocked
  }

  /** The name that this user gave them; `undefined` when there is none. */
  get label(): string | undefined {
    return this.#host.store.documents.roster.view.get('labels', this.id) as string | undefined
  }

  /** Resolves when this device's replicas have been read and, when connected, the server has answered. Never rejects. */
  get loaded(): Promise<void> {
    return this.#held.loaded
  }

  /** The fields that they show to this user. If a field has values at several levels, the value of the highest level. */
  get fields(): FieldsOf<F> {
    if (this.#isSelf) return mergeLevels(profileFields(this.#host.store.documents.profile.view)) as FieldsOf<F>
    return { ...this.#held.row?.fields } as FieldsOf<F>
  }

  /**
   * One field; `undefined` when there is no such field, or this user may not see it.
   *
   * @param name - The name of the field.
   * @returns The value, or `undefined`.
   */
  get<Name extends string & keyof F>(name: Name): F[Name] | undefined {
    checkText(name, 'name')
    const fields = this.fields as F
    return Object.hasOwn(fields, name) ? fields[name] : undefined
  }

  /** Whether they have registered and show something to this user [V8]. */
  get hasJoined(): boolean {
    return this.#isSelf || (this.#held.row?.hasJoined ?? false)
  }

  /** Whether they are online; `undefined` while it is unknown, and while the app does not watch `kith.livePresence(id)`. */
  get isOnline(): boolean | undefined {
    return this.#host.presences.get(this.id)?.isOnline
  }

  /**
   * When they were last online, to the minute. `undefined` while they are online, while it is unknown, and while the app does
   * not watch `kith.livePresence(id)`.
   */
  get lastSeen(): Date | undefined {
    const presence = this.#host.presences.get(this.id)
    return presence?.isOnline === false ? presence.lastSeenAt : undefined
  }

  /**
   * Whether their account was erased after this user gave them a grant or followed them. The user id may now have another
   * holder: the grants and the follow do not count until `confirm()`, and `remove()` deletes them [D7].
   */
  get hasChangedHands(): boolean {
    return isUnconfirmed(this.#facts, this.#incarnation)
  }

  /**
   * Stages a follow. `false` ends the follow, and automatic following then leaves them out. Returns this profile.
   *
   * @param isSubscribed - `true` to follow them, `false` to end the follow and decline them.
   */
  subscribe(isSubscribed: boolean): this {
    return this.#stage({ isSubscribed: checkBoolean(isSubscribed, 'isSubscribed') })
  }

  /**
   * Stages the levels that they may see, each by its number or its name. `[]` makes a contact without grants; `null` removes
   * the contact and all grants. Returns this profile.
   *
   * @param levels - The levels, or `null`.
   */
  setProfileAccessLevels(levels: readonly Level<L>[] | null): this {
    return this.#stage({ levels: checkLevels(levels, this.#host.levelNames) })
  }

  /**
   * Stages the user's name for them. `null` or an empty string removes it. Returns this profile.
   *
   * @param label - The label, of at most 256 bytes.
   */
  setLabel(label: string | null): this {
    return this.#stage({ label: checkText(label === null ? '' : label, 'label') })
  }

  /**
   * Stages a block, or its removal. While a block exists, neither user sees anything of the other [V1]. Returns this profile.
   *
   * @param isBlocked - `true` to block them, `false` to remove the block.
   */
  block(isBlocked: boolean): this {
    return this.#stage({ isBlocked: checkBoolean(isBlocked, 'isBlocked') })
  }

  /**
   * Writes the staged settings, and nothing else. Resolves when they are on this device's disk [D1]. Rejects with
   * `label-too-long` or `roster-too-large` when a limit is exceeded [D5]; the settings then stay staged, except those that were
   * replaced or removed meanwhile.
   */
  async save(): Promise<void> {
    const staged = this.#staged
    const kept = { ...staged }
    this.#staged = {}
    this.#saving.add(kept)
    try {
      await edit(this.#host.store, 'roster', roster =>
        planContact(roster, this.id, staged, () => this.#host.newNonce()),
      )
    } catch (error) {
      if (this.#saving.has(kept)) Object.assign(this.#staged, kept)
      throw error
    } finally {
      this.#saving.delete(kept)
    }
  }

  /**
   * Confirms that this user knows the new holder of the user id: the grants and the follow count again [D7]. Resolves when the
   * confirmation is on this device's disk, also offline. Writes nothing when the id has not changed hands.
   *
   * @throws KithError `roster-too-large`, `database-failed` or `closed`. Rejects with a `TypeError` for the own profile.
   */
  async confirm(): Promise<void> {
    if (this.#isSelf) throw new TypeError("One's own profile can't be confirmed")
    await edit(this.#host.store, 'roster', roster => planConfirmation(roster, this.id, this.#incarnation))
  }

  /**
   * Removes the contact, the label, the grants, the follow and the staged settings. A block stays.
   *
   * @returns Resolves when the removal is on this device's disk, also offline.
   * @throws KithError `database-failed` or `closed`. Rejects with a `TypeError` for the own profile.
   */
  async remove(): Promise<void> {
    if (this.#isSelf) throw new TypeError("One's own profile can't be removed")
    this.unstage()
    await edit(this.#host.store, 'roster', roster => planRemoval(roster, this.id))
  }

  /**
   * Discards the staged settings.
   *
   * @internal
   */
  unstage(): void {
    this.#staged = {}
    this.#saving.clear()
  }

  get #isSelf(): boolean {
    return this.id === this.#host.user
  }

  get #facts(): ContactFacts {
    return factsOf(this.#host.store.documents.roster.view, this.id)
  }

  /** The incarnation to confirm; empty when there is none. */
  get #incarnation(): string {
    return this.#host.store.documents.hands.get(this.id)?.incarnation ?? ''
  }

  #stage(edit: ContactEdit): this {
    if (this.#isSelf) throw new TypeError("One's own profile takes no contact's settings")
    Object.assign(this.#staged, edit)
    for (const kept of this.#saving) {
      for (const name in edit) delete kept[name as keyof ContactEdit]
    }
    return this
  }
}
