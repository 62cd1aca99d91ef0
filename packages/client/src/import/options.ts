import type { ContactPreferences } from '@kith/shared'
import type { AddressKind } from '@kith/shared/import'
import { checkPhoneNumbers, type PhoneNumbersOption } from '../api/addresses.ts'
import type { Level, LevelNames } from '../api/app-types.ts'
import { checkBoolean, checkFunction, checkIsObject, checkNotEmpty, wrong } from '../api/arguments.ts'
import { checkLevels } from '../api/levels.ts'
import { tell } from '../signal.ts'
import { checkSignal } from './signal.ts'

/** The progress of an import. */
export interface ImportProgress {
  /** `planning` while entries are read, `applying` while contacts are written. */
  stage: 'planning' | 'applying'
  /** The number of entries read, or of contacts written. */
  done: number
  /** The total number; `undefined` while it is unknown. */
  total: number | undefined
}

/** The options of `planImport`. */
export interface PlanImportOptions<L extends string = never> {
  /** A name for the source of the entries, such as `phone` or `outlook`. It shows which entries have left the source since. */
  source: string
  /** Reads addresses as phone numbers, as in `ContactSynchronizer`. Without it, each address counts as a user id. */
  phoneNumbers?: PhoneNumbersOption
  /**
   * Which values of an entry are addresses. By default, the phone numbers if `phoneNumbers` is set, otherwise the phone numbers
   * and the e-mail addresses.
   */
  addresses?: AddressKind
  /** Levels that the contacts get, besides those that they have: numbers, or names of `openKith`'s `levels`. */
  levels?: readonly Level<L>[]
  /** `true` follows the contacts. `false` ends no follow. */
  subscribe?: boolean
  /** Ends the planning, or the writing between two transactions; the call then rejects with the reason of the signal. */
  signal?: AbortSignal
  onProgress?: (progress: ImportProgress) => void
}

/** The options in the form in which an import uses them. */
export interface CheckedOptions {
  source: string
  phoneNumbers: PhoneNumbersOption | undefined
  kind: AddressKind
  preferences: ContactPreferences
  signal: AbortSignal | undefined
  report: (progress: ImportProgress) => void
}

/** Throws a `TypeError` for a wrong option. */
export function checkImportOptions<L extends string>(options: PlanImportOptions<L>, names: LevelNames): CheckedOptions {
  checkIsObject(options)
  const { source, addresses, levels, subscribe, signal, onProgress } = options
  checkNotEmpty(source, 'source')
  if (addresses !== undefined && !kinds.includes(addresses)) {
    throw wrong('addresses', "'phone-numbers', 'emails' or 'both'", addresses)
  }
  if (levels === null) throw wrong('levels', 'an array of levels, since an import withdraws none', levels)
  checkSignal(signal)
  if (onProgress !== undefined) checkFunction(onProgress, 'onProgress')
  const phoneNumbers = checkPhoneNumbers(options)
  return {
    source,
    phoneNumbers,
    kind: addresses ?? (phoneNumbers === undefined ? 'both' : 'phone-numbers'),
    preferences: {
      ...(levels !== undefined && { levels: checkLevels(levels, names) }),
      ...(subscribe !== undefined && { isSubscribed: checkBoolean(subscribe, 'subscribe') }),
    },
    signal,
    report: progress => onProgress && tell(onProgress, progress),
  }
}

const kinds: readonly AddressKind[] = ['phone-numbers', 'emails', 'both']
