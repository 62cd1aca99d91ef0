import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { mutated, randomFrom } from '../support/mutated-bytes.ts'
import { bytesOf, card, readAll } from '../support/phone-books.ts'
import { seed } from '../support/properties.ts'

/** `KITH_FUZZ_CASES=100000 npm test -- phone-book-fuzz` tries more. */
const cases = Number(process.env['KITH_FUZZ_CASES'] ?? 2000)

const corpus = new URL('../../../shared/corpus/vcards/', import.meta.url)
const corpusFiles = existsSync(corpus) ? readdirSync(corpus).filter(name => name.endsWith('.vcf')) : []
const books = [
  ...corpusFiles.map(name => new Uint8Array(readFileSync(new URL(name, corpus))).subarray(0, 4000)),
  bytesOf(
    card('VERSION:2.1', 'N;CHARSET=UTF-8;QUOTED-PRINTABLE:M=C3=BC=', 'ller;J', 'TEL;CELL:1', 'AGENT:', card('FN:A')),
  ),
  bytesOf(
    card('VERSION:2.1', 'FN:J\xf6rg', 'PHOTO;ENCODING=BASE64:', ' /9j/4AAQ', '', 'TEL:030 1', 'EMAIL:a@b'),
    'binary',
  ),
  bytesOf(
    card('VERSION:3.0', 'FN:A\\, B', 'item1.TEL;TYPE="a:b":1', 'NOTE:x', ' y', 'AGENT:BEGIN:VCARD\\nFN:B\\nEND:VCARD'),
  ),
  bytesOf(card('VERSION:4.0', 'FN:Ada', 'TEL;VALUE=uri:tel:+44-20'), 'utf16le'),
  bytesOf('Name,Given Name,Phone 1 - Value,E-mail 1 - Value\r\n"A, ""B""",A,+1 ::: +2,a@b\r\nC,,3,\r\n'),
  bytesOf('First Name;Last Name;Mobile Phone;E-mail Address\r\nJ\xfcrgen;"M\r\nX";0170;a@b\r\n', 'binary'),
]

/**
 * How often each byte may be read: about six times on the usual path, and eight more where a character set is guessed. A
 * constant covers the work that is done once per file.
 */
const mostPerByte = 40
const mostPerFile = 20_000

test(`[S1] ${cases} files with mistakes are read without an error, in linear time, alike in pieces of any size`, () => {
  const random = randomFrom(seed)
  for (let number = 0; number < cases; number++) {
    const bytes = mutated(books[random(books.length)] as Uint8Array, random, books)
    const { entries, visited } = readAll(bytes)
    const where = `seed ${seed}, case ${number}`
    expect(visited, where).toBeLessThanOrEqual(mostPerByte * bytes.length + mostPerFile)
    expect(
      entries.every(({ index }, at) => index === at),
      where,
    ).toBe(true)
    for (const { name, phoneNumbers, emails, diagnoses, line } of entries) {
      if (line < 1 || name === '' || [...phoneNumbers, ...emails].includes('')) throw new Error(where)
      if (phoneNumbers.length + emails.length === 0 && diagnoses.length === 0) throw new Error(`no reason: ${where}`)
    }
    if (number % 10 === 0) expect(readAll(bytes, { pieceBytes: 1 + random(50) }).entries, where).toEqual(entries)
  }
})

const long = 400_000
test.each([
  ['quotes that are never closed', `Name,Phone\n${'"a\n'.repeat(long / 3)}`],
  ['one quote and no line end', `Name,Phone\n${'"'.repeat(long)}`],
  ['quotes within a row', `Name,Phone\n${'"a"b'.repeat(long / 4)}`],
  ['delimiters', `Name,Phone\n${','.repeat(long)}`],
  ['cards that never end', 'BEGIN:VCARD\nFN:A\n'.repeat(long / 16)],
  ['ends that were never begun', `FN:A\n${'END:VCARD\n'.repeat(long / 10)}`],
  ['soft line breaks', `BEGIN:VCARD\nVERSION:2.1\nFN;QUOTED-PRINTABLE:${'=C3=\n'.repeat(long / 5)}`],
  ['empty lines after a soft line break', `BEGIN:VCARD\nFN;QUOTED-PRINTABLE:a=${'\n'.repeat(long)}`],
  ['folds without a colon', `BEGIN:VCARD\nFN${'\n a'.repeat(long / 3)}`],
  ['folds of a value', `BEGIN:VCARD\nFN:${'\n a'.repeat(long / 3)}`],
  ['numbers', `BEGIN:VCARD\n${'TEL:1\n'.repeat(long / 6)}`],
  ['backslashes', `BEGIN:VCARD\n${`N:${'\\'.repeat(60_000)}\n`.repeat(long / 60_000)}`],
  ['parameters', `BEGIN:VCARD\nTEL${';A="'.repeat(long / 4)}:1`],
  ['agents', `BEGIN:VCARD\n${'AGENT:BEGIN:VCARD\\nFN:A\\n'.repeat(long / 25)}`],
  ['agents on lines of their own', 'AGENT:BEGIN:VCARD\\nFN:A\\n\n'.repeat(long / 26)],
  ['bytes that are no UTF-8', `BEGIN:VCARD\n${`FN:${'\xe9 '.repeat(1000)}\n`.repeat(long / 2000)}END:VCARD`],
  ['carriage returns', `BEGIN:VCARD\nFN:A${'\r'.repeat(long)}`],
])('[S1] a file of %s is read in linear time', (_, text) => {
  const bytes = bytesOf(text, 'binary')
  const { visited } = readAll(bytes)
  expect(visited).toBeLessThanOrEqual(mostPerByte * bytes.length + mostPerFile)
})
