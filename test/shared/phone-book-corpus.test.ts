import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readAll } from '../support/phone-books.ts'

/** Real exports of many vendors, with invented people. They are not in this repository, because each has its own licence. */
const corpus = new URL('../../../shared/corpus/vcards/', import.meta.url)

type Expected = [file: string, entries: number, names: string[], phoneNumbers: number, emails: number]

/** The content of each file, as read by a person. */
const expected: Expected[] = [
  ['aosp-v21-adr-backslash-linebreaks', 1, ['bogus'], 0, 0],
  ['aosp-v21-complicated-qp-photo-blankline', 1, ['Joe Due'], 5, 2],
  ['aosp-v21-nested', 3, ['parent', 'nest1', 'nest2'], 1, 0],
  ['aosp-v21-shiftjis-qp', 1, ['安藤 ロイド 1'], 0, 0],
  ['aosp-v30-comma-separated-types', 1, ['G M F'], 1, 0],
  ['aosp-v30-multibyte-param', 1, ['G M F'], 1, 0],
  ['aosp-v40-sort-as', 1, ['安藤 ロイド'], 0, 0],
  ['ezvcard-blackberry-v21-photo', 1, ['John Doe'], 1, 0],
  ['ezvcard-fullcontact-v40', 1, ['Prefix FirstName MiddleName LastName Suffix'], 9, 5],
  ['ezvcard-gmail-list-v30-3cards', 3, ['Arnold Smith', 'Chris Beatle', 'Doug White'], 0, 3],
  ['ezvcard-iphone-ios5-v30-crcrlf-photo', 1, ['Mr. John Richter James Doe Sr.'], 7, 1],
  ['ezvcard-lotusnotes-v30', 1, ['Mr. Doe John I Johny'], 2, 2],
  ['ezvcard-outlook2003-v21-qp-key', 1, ['John Doe III'], 4, 1],
  ['ezvcard-outlook2007b-v21', 1, ['Mr. Michael Angstadt Jr.'], 4, 1],
  ['folkerkinzel-largefile-multicard', 1000, ['Kasey Schmitt', 'Noel Mayert', 'Barbara Johnson'], 0, 0],
  ['folkerkinzel-outlook-v21-windows1252', 1, ['Ralf Rastral'], 0, 0],
  ['folkerkinzel-v21-raw-ansi-greek', 1, ['Βαγγέλης'], 0, 0],
  ['folkerkinzel-v21-truncated-file', 1, ['Maxl'], 0, 0],
  ['folkerkinzel-v40', 2, ['Möhrke Gerda', 'Dr. Max Horst Mustermann jr. Maxl SED'], 12, 5],
  ['icaljs-escape-semicolon', 1, ['First Last NextCloud'], 4, 2],
  ['nodevcf-multiple-mixed-versions', 3, Array(3).fill('Dr. Erika Mustermann'), 6, 3],
  ['nodevcf-v30-empty-lines', 1, ['Dr. Erika Mustermann'], 2, 1],
  ['sabre-v30-bare-base64-param-photo', 1, ['Test Benutzer'], 0, 0],
]

describe.skipIf(!existsSync(corpus))('exports of 23 programs', () => {
  test.each(expected)('%s gives %i entries with the right names and numbers', (file, count, names, numbers, emails) => {
    const { entries } = readAll(new Uint8Array(readFileSync(new URL(`${file}.vcf`, corpus))))
    expect(entries).toHaveLength(count)
    expect(entries.slice(0, names.length).map(({ name }) => name)).toEqual(names)
    expect(entries.flatMap(({ phoneNumbers }) => phoneNumbers)).toHaveLength(numbers)
    expect(entries.flatMap(entry => entry.emails)).toHaveLength(emails)
    for (const { phoneNumbers, emails: own, diagnoses } of entries) {
      expect(phoneNumbers.length + own.length > 0 || diagnoses.length > 0).toBe(true)
    }
  })
})
