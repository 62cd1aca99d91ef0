// The digits dialled before the calling code of another country: 00 in most regions, 011 in North America.

import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/max'

// The CommonJS build of libphonenumber-js, which Jest loads, has no `Metadata`. In both builds, each number has its metadata,
// in which the second item of a region is its exit code.
const anyNumber = parsePhoneNumberFromString('+12025550123') as unknown as {
  getMetadata(): { countries: Record<string, readonly [callingCode: string, exitCode: string]> }
}

/** The region's exit codes, as a pattern. */
export function exitCode(region: CountryCode): string {
  return anyNumber.getMetadata().countries[region]?.[1] ?? '00'
}

/** The digits after an exit code of the region, if they begin with one. */
export function withoutExitCode(digits: string, region: CountryCode): string | undefined {
  const pattern = new RegExp(`^(?:${exitCode(region)})`)
  return pattern.test(digits) ? digits.replace(pattern, '') : undefined
}
