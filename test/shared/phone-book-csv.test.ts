import { PhoneBookReader } from '@kith/shared/import'
import { describe, expect, test } from 'vitest'
import { bytesOf, onlyEntry, readAll, reasonsOf } from '../support/phone-books.ts'

const lines = (...rows: string[]): string => rows.join('\r\n')

describe('layouts', () => {
  test('a row in the old layout of Google gives its name, and each of its joined values', () => {
    const book = lines(
      'Name,Given Name,Additional Name,Family Name,Yomi Name,Nickname,Group Membership,E-mail 1 - Type,E-mail 1 - Value,Phone 1 - Type,Phone 1 - Value,Phone 2 - Type,Phone 2 - Value,Organization 1 - Type,Organization 1 - Name',
      '"Müller, Jürgen",Jürgen,,Müller,,,* myContacts,* Home,j@example.com ::: k@example.com,Mobile,+49 170 1234567 ::: 0171 7654321,Home,030 12345,,Acme',
      ',,,,,,* myContacts,,,Mobile,+1 212 555 0100,,,,Acme',
    )
    expect(readAll(book).entries).toEqual([
      {
        ...{ index: 0, line: 2, name: 'Müller, Jürgen', diagnoses: [] },
        phoneNumbers: ['+49 170 1234567', '0171 7654321', '030 12345'],
        emails: ['j@example.com', 'k@example.com'],
      },
      {
        ...{ index: 1, line: 3, name: 'Acme', phoneNumbers: ['+1 212 555 0100'], emails: [] },
        diagnoses: [{ line: 3, reason: 'There is no name of a person, so the name is that of the company' }],
      },
    ])
  })

  test('a row in the new layout of Google gives its name in the order of its parts', () => {
    const book = lines(
      'First Name,Middle Name,Last Name,Phonetic First Name,Phonetic Middle Name,Phonetic Last Name,Name Prefix,Name Suffix,Nickname,File As,Organization Name,Organization Title,Birthday,Notes,Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value',
      'Ada,King,Lovelace,,,,Lady,,,,,Countess,,"a note',
      'on two lines",,* myContacts,Home,ada@example.com,Mobile,+44 20 7946 0123',
    )
    expect(onlyEntry(book)).toMatchObject({
      ...{ line: 2, name: 'Lady Ada King Lovelace', phoneNumbers: ['+44 20 7946 0123'], emails: ['ada@example.com'] },
      diagnoses: [],
    })
  })

  test('a row of Outlook gives all its numbers and addresses, and no other column', () => {
    const book = lines(
      '"Title","First Name","Middle Name","Last Name","Suffix","Company","Business Street","Business Fax","Business Phone","Business Phone 2","Car Phone","Home Phone","Mobile Phone","Pager","Telex","E-mail Address","E-mail Type","E-mail Display Name","E-mail 2 Address","Notes"',
      '"Dr.","Max","","Mustermann","","Acme","Street 1","1","2","3","4","5","6","7","8","a@example.com","SMTP","Max (a@example.com)","b@example.com","+49 30 1"',
    )
    expect(onlyEntry(book)).toMatchObject({
      ...{ name: 'Dr. Max Mustermann', phoneNumbers: ['1', '2', '3', '4', '5', '6', '7'] },
      ...{ emails: ['a@example.com', 'b@example.com'], diagnoses: [] },
    })
  })

  test('a header in another language gives an entry for each row that says so, and nothing is guessed', () => {
    const { entries } = readAll(lines('Vorname;Nachname;Rufnummer', 'Max;Mustermann;+49 30 12345'))
    expect(entries.map(({ line, phoneNumbers }) => [line, phoneNumbers])).toEqual([
      [1, []],
      [2, []],
    ])
    expect(reasonsOf(entries[1] as never)).toContain('The first row names no column that is known, in English')
  })
})

describe('delimiters, quotes and encodings', () => {
  test.each([',', ';', '\t', '|'])('the delimiter %j is found by the header', delimiter => {
    const book = lines(`Name${delimiter}Phone`, `Ada${delimiter}+44 20 7946 0123`)
    expect(onlyEntry(book)).toMatchObject({ name: 'Ada', phoneNumbers: ['+44 20 7946 0123'], diagnoses: [] })
    expect(onlyEntry(`sep=${delimiter}\r\n${book}`)).toMatchObject({ name: 'Ada', line: 3 })
  })

  test('a row in Windows-1252, and a file in UTF-16, give their names', () => {
    const book = lines('Name,Phone', 'M\xfcller,1')
    expect(onlyEntry(bytesOf(book, 'binary'))).toMatchObject({
      ...{ name: 'Müller', diagnoses: [{ line: 2, reason: 'The row is not UTF-8, and was read as windows-1252' }] },
    })
    expect(onlyEntry(bytesOf(`\ufeff${book}`, 'utf16le'))).toMatchObject({ name: 'Müller', diagnoses: [] })
  })

  test('a quote that is never closed costs its row alone', () => {
    const { entries } = readAll(lines('Name,Phone', '"Ada,1', 'Bob,2', 'Eve,3'))
    expect(entries.map(({ line, name }) => [line, name])).toEqual([
      [2, 'Ada,1'],
      [3, 'Bob'],
      [4, 'Eve'],
    ])
    expect(reasonsOf(entries[0] as never)).toContain('A quote is opened and not closed')
    expect(reasonsOf(entries[1] as never)).toEqual([])
  })

  test('[S1] a quote that is never closed keeps no more than a row may take', () => {
    const reader = new PhoneBookReader()
    const early = reader.push(bytesOf(`Name,Phone\n"Ada,1\n${'Bob,2\n'.repeat(100_000)}`))
    expect(early.length).toBeGreaterThan(90_000)
    expect(reader.end().length + early.length).toBe(100_001)
  })

  test('a quoted field holds line ends, delimiters and doubled quotes', () => {
    expect(readAll(lines('Name,Phone', '"Ada ""the', 'first"", King",1', 'Bob,2')).entries).toMatchObject([
      { name: 'Ada "the first", King', line: 2, phoneNumbers: ['1'], diagnoses: [] },
      { name: 'Bob', line: 4, phoneNumbers: ['2'], diagnoses: [] },
    ])
  })

  test('a quote within a field is a character of it', () => {
    expect(readAll(lines('Name,Phone', 'Bob 6" Smith,1', 'Eve,2')).entries).toMatchObject([
      { name: 'Bob 6" Smith', phoneNumbers: ['1'] },
      { name: 'Eve', phoneNumbers: ['2'] },
    ])
  })

  test('numbers that a spreadsheet keeps as text are read without what keeps them', () => {
    const book = lines('Name;Phone;Mobile;Fax', `Ada;="+44 20 1";'+44 20 2; "+44 20 3"`)
    expect(onlyEntry(book).phoneNumbers).toEqual(['+44 20 1', '+44 20 2', '+44 20 3'])
  })

  test('a row with too many fields, and an empty one, are entries that say so', () => {
    const { entries } = readAll(lines('Name,Phone', 'Ada,1,x', ',', 'Bob'))
    expect(entries.map(reasonsOf)).toEqual([
      ['The row has more fields than the header'],
      ['There is no name', 'There is no phone number and no e-mail address'],
      ['There is no phone number and no e-mail address'],
    ])
  })
})

test('the format is told by the first lines, and can be given', () => {
  expect(readAll('\r\n\r\nbegin:vcard\r\nFN:Ada\r\nTEL:1\r\nend:vcard\r\n').entries).toMatchObject([{ name: 'Ada' }])
  expect(readAll('Name,Phone\nTEL:1,2\n').entries).toMatchObject([{ name: 'TEL:1' }])
  expect(readAll('FN:Ada\nTEL:1\n', { format: 'csv' }).entries).toHaveLength(2)
  expect(readAll('Name,Phone\nAda,1\n', { format: 'vcard' }).entries).toEqual([])
  expect(readAll('').entries).toEqual([])
  // A header that begins in the same way as a property of a card.
  expect(readAll('Title;First Name;Mobile Phone\nDr.;Ada;1\n').entries).toMatchObject([{ name: 'Dr. Ada' }])
})
