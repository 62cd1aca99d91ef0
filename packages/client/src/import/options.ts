import type { ContactPreferences } from '@kith/shared'
import type { AddressKind } from '@kith/shared/import'
import { checkPhoneNumbers, type PhoneNumbersOption } from '../api/addresses.ts'
import type { Level, LevelNames } from '../api/app-types.ts'
import { checkBoolean, checkFunction, checkIsObject, checkNotEmpty, wrong } from '../api/arguments.ts'
import { checkLevels } from '../api/levels.ts'
import { checkSignal } from './signal.ts'

/** How far an import is. */
export interface ImportProgress {
  /** `planning` while entries are read, `applying` while contacts are written. */
  stage: 'planning' | 'applying'
  /** Entries that were read, or contacts that were written. */
  done: number
  /** How many there are; `undefined` while that is not known. */
  total: number | undefined
}

/** The options of `planImport`. */
export interface PlanImportOptions<L extends string = never> {
  /** A name for where the entries come from, such as `phone` or `outlook`: it tells which entries have left it since. */
  source: string
  /** Reads addresses as phone numbers, as for `ContactSynchronizer`. Without it each address counts as a user id. */
  phoneNumbers?: PhoneNumbersOption
  /**
   * Which values of an entry are addresses. By default the phone numbers with `phoneNumbers`, otherwise both these and the
   * e-mail addresses.
   */
  addresses?: AddressKind
  /** Levels that the contacts may see from then on, beside those that they have: numbers, or names of `openKith`'s `levels`. */
  levels?: readonly Level<L>[]
  /** Whether the contacts are followed from then on. `false` ends no follow. */
  subscribe?: boolean
  /** Ends the planning, or the writing between two transactions: the call then rejects with the reason of the signal. */
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
    report: progress => onProgress?.(progress),
  }
}

const kinds: readonly AddressKind[] = ['phone-numbers', 'emails', 'both']
