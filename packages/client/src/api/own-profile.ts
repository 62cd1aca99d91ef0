import { type Fields, type FieldValue, planField, profileFields } from '@kith/shared'
import { edit } from '../database/edit.ts'
import type { Store } from '../database/store.ts'
import { checkFieldName, checkFieldValue, checkLevelOption, checkText } from './arguments.ts'

/** Where a field stands: at level 0 unless told. */
export interface LevelOption {
  level?: number
}

/** The user's own profile, as this device has it. */
export class OwnProfile {
  readonly #store: Store

  /** @internal An app gets it as `kith.ownProfile`. */
  constructor(store: Store) {
    this.#store = store
  }

  /** All fields at each level; levels without any are absent. */
  get fields(): Map<number, Fields> {
    return profileFields(this.#store.documents.profile.view)
  }

  /** The field at that level; `undefined` when it isn't there. */
  get(name: string, options?: LevelOption): FieldValue | undefined {
    checkText(name, "A field's name")
    const fields = this.fields.get(checkLevelOption(options))
    return fields && Object.hasOwn(fields, name) ? fields[name] : undefined
  }

  /**
   * Sets one field at one level. Resolves when that is on this device's disk; rejects with a KithError and changes nothing
   * when it is beyond a limit (`field-name-too-long`, `profile-too-large`, `too-many-levels`) [D5].
   */
  async set(name: string, value: FieldValue, options?: LevelOption): Promise<void> {
    const level = checkLevelOption(options)
    await this.#plan(level, checkFieldName(name), checkFieldValue(value))
  }

  /** Removes one field from one level. */
  async unset(name: string, options?: LevelOption): Promise<void> {
    await this.#plan(checkLevelOption(options), checkFieldName(name), undefined)
  }

  async #plan(level: number, name: string, value: FieldValue | undefined): Promise<void> {
    await edit(this.#store, 'profile', view => planField(view, this.#store.documents.writer, level, name, value))
  }
}
