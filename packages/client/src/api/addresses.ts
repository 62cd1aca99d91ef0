import { parseUserId } from '@kith/shared'

/** Why an address was not taken. */
export type InvalidReason = 'malformed' | 'too-long' | 'self' | 'not-a-phone-number' | 'ambiguous'

export interface InvalidAddress {
  input: string
  reason: InvalidReason
}

/** How addresses are read: as user ids, or as phone numbers, with the region that the phone book was written in. */
export type PhoneNumbersOption = true | { region: string }

export interface Addresses {
  /** User ids, each once, in the order of their first input. */
  users: string[]
  /** What was rejected; equal inputs once. */
  invalid: InvalidAddress[]
}

/** Reads addresses. Throws a `TypeError` for a region that doesn't exist. */
export async function readAddresses(
  inputs: readonly string[],
  self: string,
  phoneNumbers: PhoneNumbersOption | undefined,
): Promise<Addresses> {
  const parse = phoneNumbers === undefined ? parseUserId : await phoneNumberParser(phoneNumbers)
  const users = new Set<string>()
  const reasons = new Map<string, InvalidReason>()
  for (const input of inputs) {
    const parsed = parse(input)
    if (!('id' in parsed)) reasons.set(input, parsed.reason)
    else if (parsed.id === self) reasons.set(input, 'self')
    else users.add(parsed.id)
  }
  return { users: [...users], invalid: [...reasons].map(([input, reason]) => ({ input, reason })) }
}

type Parse = (input: string) => { id: string } | { reason: InvalidReason }

/** The phone number metadata are large, so they are loaded only when they are needed. */
async function phoneNumberParser(option: true | { region?: string }): Promise<Parse> {
  const { isSupportedRegion, normalisePhoneNumber } = await import('@kith/shared/phone')
  const region = option === true ? undefined : option.region
  if (region !== undefined && !isSupportedRegion(region)) throw new TypeError(`There is no region ${region}`)
  return input => normalisePhoneNumber(input, { region })
}
