import { parseUserId } from '@kith/shared'

/** Why an address was not accepted. */
export type InvalidReason = 'malformed' | 'too-long' | 'self' | 'not-a-phone-number' | 'ambiguous'

export interface InvalidAddress {
  input: string
  reason: InvalidReason
}

/** Reads addresses as phone numbers; `region` is the country of the phone book, for numbers in national form. */
export type PhoneNumbersOption = true | { region: string }

export interface Addresses {
  /** User ids, each once, in the order of their first input. */
  users: string[]
  /** The rejected inputs, each once. */
  invalid: InvalidAddress[]
}

/** Reads addresses as user ids or phone numbers. Rejects with a `TypeError` for a region that does not exist. */
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

/** Loads the metadata of phone numbers on the first use, since they are large. */
async function phoneNumberParser(option: true | { region?: string }): Promise<Parse> {
  const { isSupportedRegion, normalisePhoneNumber } = await import('@kith/shared/phone')
  const region = option === true ? undefined : option.region
  if (region !== undefined && !isSupportedRegion(region)) throw new TypeError(`There is no region ${region}`)
  return input => normalisePhoneNumber(input, { region })
}
