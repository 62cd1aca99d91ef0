import {
  type ErrorCode,
  type FieldValue,
  isRetiredKey,
  type Limits,
  maxNameBytes,
  parseNonceKey,
  parseProfileKey,
  profileRoot,
  type RosterRoot,
  retiredRoot,
  rosterRoots,
  userOfKey,
  utf8Length,
} from '@kith/shared'
import type { Rules } from './admission.ts'

type Wrong = { code: ErrorCode; what: string }

const malformed = (what: string): Wrong => ({ code: 'malformed', what })

/**
 * The roots, keys and values of a roster (docs/PROTOCOL.md). Keys are checked even if their value has been removed, because
 * names stay.
 */
export function rosterRules(limits: Limits): Rules {
  return {
    check(root, key, value) {
      if (root === retiredRoot) return checkRetired(key, value)
      if (!(rosterRoots as readonly string[]).includes(root)) return malformed(`a roster has no root of that name`)
      return checkKey(root as RosterRoot, key) ?? checkValue(root as RosterRoot, value, limits)
    },
  }
}

/** A device that refills a server which lost its store sends what the founding had written. */
function checkRetired(key: string, value: FieldValue | undefined): Wrong | undefined {
  const isClock = value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)
  return isRetiredKey(key) && isClock ? undefined : malformed('no retired client')
}

function checkKey(root: RosterRoot, key: string): Wrong | undefined {
  if (root === 'settings') return isName(key) ? undefined : malformed('no name of a setting')
  if (root === 'privacy') {
    const name = parseNonceKey(key)?.name
    return name !== undefined && isName(name) ? undefined : malformed('no key of privacy')
  }
  return userOfKey(root, key) === undefined ? malformed(`no key of ${root}`) : undefined
}

function isName(name: string): boolean {
  return name.length > 0 && utf8Length(name) <= maxNameBytes
}

function checkValue(root: RosterRoot, value: FieldValue | undefined, limits: Limits): Wrong | undefined {
  if (value === undefined) return undefined
  if (root === 'labels' || root === 'settings') {
    if (value instanceof Uint8Array || (root === 'labels' && typeof value !== 'string')) {
      return malformed(`no value of ${root}`)
    }
    if (typeof value === 'string' && utf8Length(value) > limits.labelBytes) {
      return { code: 'label-too-long', what: `more than ${limits.labelBytes} bytes` }
    }
    return undefined
  }
  return value === true ? undefined : malformed(`a value of ${root} is true`)
}

/** The keys and values of a profile. */
export function profileRules(limits: Limits): Rules {
  return {
    check(root, key, value) {
      if (root === retiredRoot) return checkRetired(key, value)
      const parsed = root === profileRoot ? parseProfileKey(key) : undefined
      if (!parsed) return malformed('no key of a profile')
      if (utf8Length(parsed.name) > limits.fieldNameBytes) {
        return { code: 'field-name-too-long', what: `more than ${limits.fieldNameBytes} bytes` }
      }
      return undefined
    },
  }
}
