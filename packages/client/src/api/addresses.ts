import { parseUserId } from '@kith/shared'
import { nextTurn } from '../turn.ts'
import { checkIsObject, wrong } from './arguments.ts'

/** Why an address was not accepted. */
export type InvalidReason = 'malformed' | 'too-long' | 'self' | 'not-a-phone-number' | 'ambiguous'

/** An address that was not accepted. */
export interface InvalidAddress {
  input: string
  reason: InvalidReason
}

/** An address that names the same user as an earlier address. */
export interface DuplicateAddress {
  input: string
  /** The user id. */
  id: string
}

/** Reads addresses as phone numbers; `region` is the country of the phone book, for numbers in national form. */
export type PhoneNumbersOption = true | { region: string }

/** Returns the option `phoneNumbers` of `options`. Throws a `TypeError` for a wrong one. */
export function checkPhoneNumbers(options: object): PhoneNumbersOption | undefined {
  checkIsObject(options)
  const { phoneNumbers } = options as { phoneNumbers?: unknown }
  if (phoneNumbers === undefined) return undefined
  if (phoneNumbers === true) return true
  const region = (phoneNumbers as { region?: unknown } | null)?.region
  if (typeof region === 'string' && /^[A-Z]{2}$/.test(region)) return { region }
  throw wrong('phoneNumbers', "true or an object with a region such as { region: 'GB' }", region ?? phoneNumbers)
}

export interface Addresses {
  /** User ids, each once, in the order of their first input. */
  users: string[]
  /** The rejected inputs, each once. */
  invalid: InvalidAddress[]
  duplicates: DuplicateAddress[]
}

/** The number of addresses that are read per turn of the event loop, if progress is reported. */
const readPerTurn = 250

/** Reads addresses as user ids or phone numbers. Rejects with a `TypeError` for a region that does not exist. */
export async function readAddresses(
  inputs: readonly string[],
  self: string,
  phoneNumbers: PhoneNumbersOption | undefined,
  report?: (done: number, total: number) => void,
): Promise<Addresses> {
  const parse = await addressParser(phoneNumbers)
  const users = new Set<string>()
  const reasons = new Map<string, InvalidReason>()
  const duplicates: DuplicateAddress[] = []
  for (const [index, input] of inputs.entries()) {
    if (report && index > 0 && index % readPerTurn === 0) {
      report(index, inputs.length)
      await nextTurn()
    }
    const parsed = parse(input)
    if (!('id' in parsed)) reasons.set(input, parsed.reason)
    else if (parsed.id === self) reasons.set(input, 'self')
    else if (users.has(parsed.id)) duplicates.push({ input, id: parsed.id })
    else users.add(parsed.id)
  }
  report?.(inputs.length, inputs.length)
  return { users: [...users], duplicates, invalid: [...reasons].map(([input, reason]) => ({ input, reason })) }
}

/** Reads one address. */
export type Parse = (input: string) => { id: string } | { reason: InvalidReason }

/** Returns the function that reads addresses. Rejects with a `TypeError` for a region that does not exist. */
export async function addressParser(phoneNumbers: PhoneNumbersOption | undefined): Promise<Parse> {
  if (phoneNumbers === undefined) return parseUserId
  // The metadata of phone numbers are loaded on the first use, since they are large.
  const { isSupportedRegion, normalisePhoneNumber } = await import('@kith/shared/phone')
  const region = phoneNumbers === true ? undefined : phoneNumbers.region
  if (region !== undefined && !isSupportedRegion(region))
    throw wrong('phoneNumbers.region', 'the code of a country', region)
  return input => normalisePhoneNumber(input, { region })
}
