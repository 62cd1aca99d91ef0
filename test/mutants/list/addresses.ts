import { type Mutant, mutant } from '../mutant.ts'

/**
 * Mistakes in reading addresses. The contract of phone numbers has no rule ids. The harm is an id that belongs to another
 * person.
 */
export const addressMutants: readonly Mutant[] = [
  mutant('shared/src/user-id.ts', '[\\p{Cc}\\u202a-\\u202e\\u2066-\\u2069]', '[\\p{Cc}]', {
    id: 'bidi-controls-in-ids',
    rules: ['S1'],
    what: 'A user id may contain bidi controls, which make it look like another id.',
    tests: ['shared/addresses'],
  }),
  mutant('shared/src/user-id.ts', '(?:[ -~]*[!-~])?$/', '[ -~]*$/', {
    id: 'id-that-ends-with-a-space',
    rules: ['S1'],
    what: 'A user id may end with a space, which makes it look like another id.',
    tests: ['shared/addresses'],
  }),
  mutant('shared/src/phone/text.ts', '(?!\\u202e)\\p{Cf}', '\\p{Cf}', {
    id: 'override-passed-over',
    rules: [],
    what: 'The digits after a right-to-left override are read in another order than people see them.',
    tests: ['shared/addresses'],
  }),
  mutant('shared/src/phone/text.ts', '[^()\\d+]*\\d?[^()\\d+]*', '[^()]*', {
    id: 'digits-in-words-dropped',
    rules: [],
    what: 'Words in brackets are skipped, including a calling code among them.',
    tests: ['shared/phone-books'],
  }),
  mutant(
    'shared/src/phone/reading.ts',
    'if (mayBeMobile(own) && own.callingCode === getCountryCallingCode(region)) return own',
    'if (mayBeMobile(own)) return own',
    {
      id: 'any-calling-code-first',
      rules: [],
      what: 'A national mobile number that is also valid in another country becomes that country’s number.',
      tests: ['shared/phone-forms'],
    },
  ),
  mutant(
    'shared/src/phone/reading.ts',
    'if (home.mayBeMobile && !home.isRenumbered) return home',
    "if (home.mayBeMobile && !home.isRenumbered) return 'ambiguous'",
    {
      id: 'both-mobile-refused',
      rules: [],
      what: 'Mobile numbers of a whole country are refused, since their digits are mobile numbers elsewhere.',
      tests: ['shared/phone-books'],
    },
  ),
  mutant(
    'shared/src/phone/reading.ts',
    'return abroad.mayBeMobile && digits === nationalDigits(home) ? abroad',
    'return digits === nationalDigits(home) ? abroad',
    {
      id: 'free-phone-abroad',
      rules: [],
      what: 'If a text has two readings, and neither may be a mobile number, one of them is chosen.',
      tests: ['shared/phone-books'],
    },
  ),
  mutant(
    'shared/src/phone/reading.ts',
    'return abroad.mayBeMobile && digits === nationalDigits(home) ? abroad',
    'return abroad.mayBeMobile ? abroad',
    {
      id: 'trunk-prefix-as-calling-code',
      rules: [],
      what: 'A line in Moscow, written with the trunk prefix 8, becomes a mobile phone in Vietnam.',
      tests: ['shared/phone-books'],
    },
  ),
  mutant('shared/src/phone/reading.ts', "if (home.isRenumbered !== abroad.isRenumbered) return 'ambiguous'\n", '\n', {
    id: 'old-form-before-new',
    rules: [],
    what: 'An old form of a national number takes precedence over a current mobile number.',
    tests: ['shared/phone-books'],
  }),
  mutant('shared/src/phone/reading.ts', 'if (!mayBeMobile(home) && isLocal(home, digits, region))', 'if (false)', {
    id: 'neighbours-in-other-towns',
    rules: [],
    what: 'A number without its area code is read as one of another area, or of an island.',
    tests: ['shared/phone-books'],
  }),
  mutant('shared/src/phone/reading.ts', 'return fits ? found', 'return found ? found', {
    id: 'groups-not-looked-at',
    rules: [],
    what: 'A number in North American grouping is read as one of the region.',
    tests: ['shared/phone-books'],
  }),
  mutant(
    'shared/src/phone/reading.ts',
    'return agreed(number, internationalNumber(digits.slice',
    'return (number, internationalNumber(digits.slice',
    {
      id: 'zero-in-brackets-dropped',
      rules: [],
      what: 'A zero in brackets is always treated as a trunk prefix, in Italy too.',
      tests: ['shared/phone-books'],
    },
  ),
  mutant(
    'shared/src/phone/reading.ts',
    'digits.length > 11 ? renumberedAbroad(digits)',
    'digits.length > 0 ? renumberedAbroad(digits)',
    {
      id: 'old-forms-without-plus',
      rules: [],
      what: 'A Brazilian number without its 55 is read as an old one of Benin.',
      tests: ['shared/phone-books'],
    },
  ),
  mutant('shared/src/phone/renumbering.ts', 'isAbroadOnly: true', 'isAbroadOnly: false', {
    id: 'mexican-one-at-home',
    rules: [],
    what: 'In Mexico, a number of New Jersey with its 1 is read as one of Mexico City.',
    tests: ['shared/phone-books'],
  }),
  mutant('shared/src/phone/renumbering.ts', "new: '$19$2'", "new: '$1$2'", {
    id: 'ninth-digit-forgotten',
    rules: [],
    what: "Brazil's mobile numbers of eight digits are not accepted as numbers.",
    tests: ['shared/phone-books'],
  }),
  mutant('shared/src/phone/territories.ts', "if (overseasAlone.test(number)) return 'none'\n", '\n', {
    id: 'overseas-in-france',
    rules: [],
    what: "A number that only Martinique may have is read with France's calling code.",
    tests: ['shared/phone-books'],
  }),
  mutant('shared/src/phone/territories.ts', "others.length > 0 ? 'ambiguous' : reading", 'reading', {
    id: 'first-territory-taken',
    rules: [],
    what: 'If several territories may have a number, the first one is chosen.',
    tests: ['shared/phone-books'],
  }),
  mutant('shared/src/phone/exit-codes.ts', "?.[1] ?? '00'", "?.[2] ?? '00'", {
    id: 'wrong-exit-code',
    rules: [],
    what: 'The exit code of a region is replaced by another one.',
    tests: ['shared/phone-plans'],
  }),
  mutant('shared/src/limits.ts', '(text.charCodeAt(index + 1) & 0xfc00) === 0xdc00', 'true', {
    id: 'half-pairs-count-as-pairs',
    rules: ['S3'],
    what: 'A text with a lone surrogate is counted with fewer bytes than its UTF-8 has.',
    tests: ['shared/utf8'],
  }),
  mutant(
    'shared/src/wire/codec.ts',
    'class MalformedError extends Error {}\n',
    'class MalformedError extends Error {}\nnew TextEncoder()\n',
    {
      id: 'platform-asked-at-import',
      rules: [],
      what: 'The packages cannot be imported in test runners without TextEncoder.',
      tests: ['client/bare-platform'],
    },
  ),
]
