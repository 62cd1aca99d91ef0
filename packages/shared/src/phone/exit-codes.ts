// What people dial before the calling code of another country, where it isn't 00. Source: ITU-T, "Dialling procedures
// (international prefix, national (trunk) prefix and national (significant) number)", as libphonenumber's metadata have it.
// The metadata give them out in the ESM build of libphonenumber-js alone, and test runners load the CommonJS build.

import { type CountryCode, getCountryCallingCode } from 'libphonenumber-js/max'

const australia = '001[14-689]|14(?:1[14]|34|4[17]|[56]6|7[47]|88)0011'
const finland = '00|99(?:[01469]|5(?:[14]1|3[23]|5[59]|77|88|9[09]))'

const exitCodes: { readonly [region in CountryCode]?: string } = {
  AU: australia,
  AX: finland,
  BO: '00(?:1\\d)?',
  BR: '00(?:1[245]|2[1-35]|31|4[13]|[56]5|99)',
  BY: '810',
  CC: australia,
  CL: '(?:0|1(?:1[0-69]|2[02-5]|5[13-58]|69|7[0167]|8[018]))0',
  CN: '00|1(?:[12]\\d|79)\\d\\d00',
  CO: '00(?:4(?:[14]4|56)|[579])',
  CU: '119',
  CV: '0',
  CX: australia,
  FI: finland,
  FJ: '0(?:0|52)',
  GY: '001',
  HK: '00(?:30|5[09]|[126-9]?)',
  ID: '00[89]',
  IL: '0(?:0|1(?:05|[2-9]))',
  IS: '00|1(?:0(?:01|[12]0)|100)',
  JP: '010',
  KE: '000',
  KH: '00[14-9]',
  KP: '00|99',
  KR: '00(?:[125689]|3(?:[46]5|91)|7(?:00|27|3|55|6[126]))',
  KZ: '810',
  MH: '011',
  MN: '001',
  MU: '0(?:0|[24-7]0|3[03])',
  MV: '0(?:0|19)',
  MX: '0[09]',
  NG: '009',
  NZ: '0(?:0|161)',
  PE: '00|19(?:1[124]|77|90)00',
  PG: '00|140[1-3]',
  PW: '01[12]',
  RU: '810',
  SB: '0[01]',
  SC: '010|0[0-2]',
  SG: '0[0-3]\\d',
  SI: '00|10(?:22|66|88|99)',
  TD: '00|16',
  TH: '00[1-9]',
  TJ: '810',
  TM: '810',
  TW: '0(?:0[25-79]|19)',
  TZ: '00[056]',
  UG: '00[057]',
  UY: '0(?:0|1[3-9]\\d)',
  WS: '0',
}

/** The region's exit codes, as a pattern. */
export function exitCode(region: CountryCode): string {
  return exitCodes[region] ?? (getCountryCallingCode(region) === '1' ? '011' : '00')
}

/** The digits after an exit code of the region, if they begin with one. */
export function withoutExitCode(digits: string, region: CountryCode): string | undefined {
  const pattern = new RegExp(`^(?:${exitCode(region)})`)
  return pattern.test(digits) ? digits.replace(pattern, '') : undefined
}
