import { type Fields, type FieldValue, mergeLevels, planField, profileFields } from '@kith/shared'
import { edit } from '../database/edit.ts'
import type { Store } from '../database/store.ts'
import { checkFieldName, checkFieldValue, checkLevelOption, checkLevels, checkText } from './arguments.ts'

/** The level of a field; 0 if absent. */
export interface LevelOption {
  level?: number
}

/** The user's own profile on this device. */
export class OwnProfile {
  readonly #store: Store

  /** @internal */
  constructor(store: Store) {
    this.#store = store
  }

  /** The fields by level. A level without fields is absent. */
  get fields(): Map<number, Fields> {
    return profileFields(this.#store.documents.profile.view)
  }

  /** One field at one level; `undefined` when the level does not have it. */
  get(name: string, options?: LevelOption): FieldValue | undefined {
    checkText(name, "A field's name")
    const fields = this.fields.get(checkLevelOption(options))
    return fields && Object.hasOwn(fields, name) ? fields[name] : undefined
  }

  /** What a viewer sees who may see exactly these levels: of a field at several of them, the value at the highest. */
  merged(levels: readonly number[]): Fields {
    const seen = new Set(checkLevels(levels) ?? [])
    return mergeLevels(new Map([...this.fields].filter(([level]) => seen.has(level))))
  }

  /**
   * Sets one field at one level. Resolves when that is on this device's disk. Rejects with `field-name-too-long`,
   * `profile-too-large` or `too-many-levels` when a limit is exceeded; nothing has changed then [D5].
   */
  async set(name: string, value: FieldValue, options?: LevelOption): Promise<void> {
    const level = checkLevelOption(options)
    await this.#plan(level, checkFieldName(name), checkFieldValue(value))
  }

  /** Removes one field from one level. Resolves when that is on this device's disk. */
  async unset(name: string, options?: LevelOption): Promise<void> {
    await this.#plan(checkLevelOption(options), checkFieldName(name), undefined)
  }

  async #plan(level: number, name: string, value: FieldValue | undefined): Promise<void> {
    await edit(this.#store, 'profile', view => planField(view, this.#store.documents.writer, level, name, value))
  }
}
