import { type Fields, type FieldValue, mergeLevels, planField, profileFields } from '@kith/shared'
import { edit } from '../database/edit.ts'
import type { Store } from '../database/store.ts'
import type { FieldsOf, FieldTypes, Level, LevelNames } from './app-types.ts'
import { checkFieldValue, checkNotEmpty, checkText } from './arguments.ts'
import { checkLevelOption, checkLevels } from './levels.ts'

/** The level of a field, by its number or its name; 0 if absent. A level that is `undefined` or `null` is a `TypeError`. */
export interface LevelOption<L extends string = never> {
  level?: Level<L>
}

/** The user's own profile on this device. */
export class OwnProfile<F extends FieldTypes<F> = Fields, L extends string = never> {
  readonly #store: Store
  readonly #levelNames: LevelNames

  /** @internal */
  constructor(store: Store, levelNames: LevelNames) {
    this.#store = store
    this.#levelNames = levelNames
  }

  /** The fields by the number of their level. A level without fields is absent. */
  get fields(): Map<number, FieldsOf<F>> {
    return profileFields(this.#store.documents.profile.view) as Map<number, FieldsOf<F>>
  }

  /**
   * One field at one level; `undefined` when the level does not have it.
   *
   * @param name - The name of the field.
   * @param options - The level; 0 by default.
   * @returns The value, or `undefined`.
   */
  get<Name extends string & keyof F>(name: Name, options?: LevelOption<L>): F[Name] | undefined {
    checkText(name, 'name')
    const fields = this.fields.get(checkLevelOption(options, this.#levelNames)) as F | undefined
    return fields && Object.hasOwn(fields, name) ? fields[name] : undefined
  }

  /**
   * The fields that a viewer of exactly these levels sees. If a field has values at several levels, the value of the highest.
   *
   * @param levels - The levels, by number or by name.
   * @returns The fields by name.
   */
  merged(levels: readonly Level<L>[]): FieldsOf<F> {
    const seen = new Set(checkLevels(levels, this.#levelNames) ?? [])
    const fields = profileFields(this.#store.documents.profile.view)
    return mergeLevels(new Map([...fields].filter(([level]) => seen.has(level)))) as FieldsOf<F>
  }

  /**
   * Sets one field at one level. Resolves when the change is on this device's disk. Rejects with `field-name-too-long`,
   * `profile-too-large` or `too-many-levels` when a limit is exceeded; nothing has then changed [D5].
   *
   * @param name - The name of the field.
   * @param value - A string, a number, a boolean or bytes.
   * @param options - The level; 0 by default.
   */
  async set<Name extends string & keyof F>(
    name: Name,
    value: NonNullable<F[Name]>,
    options?: LevelOption<L>,
  ): Promise<void> {
    const level = checkLevelOption(options, this.#levelNames)
    await this.#plan(level, checkNotEmpty(name, 'name'), checkFieldValue(value))
  }

  /**
   * Removes one field from one level. Resolves when the change is on this device's disk.
   *
   * @param name - The name of the field.
   * @param options - The level; 0 by default.
   * @throws KithError `database-failed` when nothing could be stored, or `closed`.
   */
  async unset(name: string & keyof F, options?: LevelOption<L>): Promise<void> {
    await this.#plan(checkLevelOption(options, this.#levelNames), checkNotEmpty(name, 'name'), undefined)
  }

  async #plan(level: number, name: string, value: FieldValue | undefined): Promise<void> {
    await edit(this.#store, 'profile', view => planField(view, this.#store.documents.writer, level, name, value))
  }
}
