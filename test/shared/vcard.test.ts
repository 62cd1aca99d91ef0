import { PhoneBookReader } from '@kith/shared/import'
import { describe, expect, test } from 'vitest'
import { bytesOf, card, onlyEntry, readAll, reasonsOf } from '../support/phone-books.ts'

describe('cards as vendors write them', () => {
  test('a card of an old Android phone, in 2.1 with bare types and quoted-printable, gives its name and numbers', () => {
    const book = card(
      'VERSION:2.1',
      'N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=BCrgen;;;',
      'FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=BCrgen=20=',
      'M=C3=BCller',
      'TEL;CELL;PREF:+49 170 1234567',
      'TEL;HOME:030-12345',
      'EMAIL;HOME:juergen@example.com',
    )
    expect(onlyEntry(book)).toEqual({
      ...{ index: 0, line: 1, name: 'Jürgen Müller', phoneNumbers: ['+49 170 1234567', '030-12345'] },
      ...{ emails: ['juergen@example.com'], diagnoses: [] },
    })
  })

  test('a card of an iPhone, in 3.0 with groups, escapes and CR CR LF, gives its name and numbers', () => {
    const book = card(
      'VERSION:3.0',
      'N:Doe;John;Richter,James;Mr.;Sr.',
      'FN:Mr. John Richter James Doe Sr.',
      'ORG:IBM\\, Inc.;Accounting',
      'item1.EMAIL;type=INTERNET;type=pref:john@example.com',
      'item2.TEL:905-222-1234',
      'item2.X-ABLabel:_$!<AssistantPhone>!$_',
    ).replaceAll('\r\n', '\r\r\n')
    expect(onlyEntry(book)).toMatchObject({
      ...{ name: 'Mr. John Richter James Doe Sr.', phoneNumbers: ['905-222-1234'], emails: ['john@example.com'] },
      diagnoses: [],
    })
  })

  test('a card of Outlook, in 2.1 with an unlabelled ANSI name and a base64 key, gives its name and numbers', () => {
    const book = card(
      'VERSION:2.1',
      'N;LANGUAGE=de:L\xe4mmer;J\xf6rg',
      'FN:J\xf6rg L\xe4mmer',
      'KEY;X509;ENCODING=BASE64:',
      '    MIIDITCCAoqgAwIBAgIQT52W2WawmStUwpV8tBV9TTANBgkqhkiG9w0BAQUFADBM',
      '',
      'TEL;WORK;VOICE:(0221) 9999123',
      'EMAIL;PREF;INTERNET:joerg@example.com',
    )
    const entry = onlyEntry(bytesOf(book, 'binary'))
    expect(entry).toMatchObject({
      name: 'Jörg Lämmer',
      phoneNumbers: ['(0221) 9999123'],
      emails: ['joerg@example.com'],
    })
    expect(reasonsOf(entry)).toContain('FN names no character set, and was read as windows-1252')
  })

  test('a card in 4.0 with URIs gives numbers and addresses without tel: and mailto:', () => {
    const book = card(
      'VERSION:4.0',
      'FN:Erika',
      'TEL;TYPE="voice,home";VALUE=uri:tel:+49-221-9999123',
      'TEL;VALUE=uri:tel:+1-555-555-5555;ext=5555',
      'EMAIL:mailto:erika%40example.com',
    )
    expect(onlyEntry(book)).toMatchObject({
      phoneNumbers: ['+49-221-9999123', '+1-555-555-5555;ext=5555'],
      emails: ['erika@example.com'],
    })
  })

  test('a property whose parameters are folded before the colon is one property', () => {
    const book = card(
      'VERSION:4.0',
      'FN:Erika',
      'ADR;LABEL="Heidestraße 17"',
      ' :;;Heidestraße 17',
      'TEL;TYPE=cell',
      ' :1',
    )
    expect(onlyEntry(book)).toMatchObject({ phoneNumbers: ['1'], diagnoses: [] })
  })

  test('a colon and a semicolon within quotes end neither a parameter nor the head', () => {
    const book = card(
      'VERSION:3.0',
      'FN:A',
      'TEL;TYPE="COMMA,SEPARATED:IN;QUOTES",PREF:1',
      'EMAIL;X="open:a@example.com',
    )
    expect(onlyEntry(book)).toMatchObject({ phoneNumbers: ['1'], emails: ['a@example.com'] })
  })
})

describe('lines', () => {
  const lines = [
    'BEGIN:VCARD',
    'VERSION:3.0',
    'FN:Ada',
    'TEL:1',
    'END:VCARD',
    'BEGIN:VCARD',
    'FN:Bob',
    'TEL:2',
    'END:VCARD',
  ]

  test.each([
    ['CR LF', '\r\n'],
    ['LF', '\n'],
    ['CR', '\r'],
    ['CR CR LF', '\r\r\n'],
  ])('lines that end in %s are counted as one each', (_, end) => {
    const { entries } = readAll(lines.join(end))
    expect(entries.map(({ name, line }) => [name, line])).toEqual([
      ['Ada', 1],
      ['Bob', 6],
    ])
  })

  test('a fold in 3.0 joins a word, and in 2.1 stands for a space', () => {
    expect(onlyEntry(card('VERSION:3.0', 'FN:Jo', ' hn')).name).toBe('John')
    expect(onlyEntry(card('VERSION:2.1', 'FN:John', '  Doe')).name).toBe('John Doe')
  })

  test('a soft line break continues over empty lines, unless a property follows', () => {
    const name = (...rest: string[]): unknown =>
      onlyEntry(card('VERSION:2.1', 'FN;ENCODING=QUOTED-PRINTABLE:J=', ...rest, 'TEL:1'))
    expect(name('', 'im')).toMatchObject({ name: 'Jim', phoneNumbers: ['1'] })
    expect(name('')).toMatchObject({ name: 'J', phoneNumbers: ['1'] })
  })

  test('a soft line break before END does not swallow it', () => {
    const { entries } = readAll(card('FN:Ada', 'TEL:1', 'NOTE;QUOTED-PRINTABLE:a=') + card('FN:Bob', 'TEL:2'))
    expect(entries).toMatchObject([
      { name: 'Ada', diagnoses: [] },
      { name: 'Bob', diagnoses: [] },
    ])
  })

  test('a soft line break may have white space after it, and a value that is passed over has them too', () => {
    const lines = ['VERSION:2.1', 'FN;QUOTED-PRINTABLE:J= ', 'im', 'NOTE;QUOTED-PRINTABLE:a=', 'TEL:2=', 'b', 'TEL:1']
    expect(onlyEntry(card(...lines))).toMatchObject({ name: 'Jim', phoneNumbers: ['1'], diagnoses: [] })
  })

  test('an END that is indented ends its card', () => {
    const { entries } = readAll(' BEGIN:VCARD\n FN:Ada\n TEL:1\n END:VCARD\nBEGIN:VCARD\nFN:Bob\nTEL:2\n END:VCARD\n')
    expect(entries.map(({ name }) => name)).toContain('Bob')
    expect(entries).toHaveLength(2)
  })

  test('[S1] a value of many short lines takes no more room than one line', () => {
    for (const line of ['\n a', '\n ']) {
      const entry = onlyEntry(`BEGIN:VCARD\nTEL:1\nFN:x${line.repeat(500_000)}\nEND:VCARD`)
      expect(entry.name?.length).toBeLessThan(70_000)
    }
  })

  test('base64 without white space before its lines is passed over to its end', () => {
    const book = card('VERSION:2.1', 'FN:Ada', 'PHOTO;BASE64:', '/9j/4AAQSkZJRgABAQEAYABg', 'AAD=', 'TEL:1')
    expect(onlyEntry(book)).toMatchObject({ phoneNumbers: ['1'], diagnoses: [] })
  })

  test('a line that is no property is passed over with its line and a reason', () => {
    expect(onlyEntry(card('FN:Ada', 'TEL:1', '99999 Hamburg')).diagnoses).toEqual([
      { line: 4, reason: 'The line is no property of a card, and was passed over' },
    ])
  })
})

describe('cards that are not whole', () => {
  test('a file that was cut within a card gives the card with a reason', () => {
    const entry = onlyEntry('BEGIN:VCARD\nVERSION:2.1\nFN:Maxl\nTEL:1\nNOTE;ENCODING=QUOTED-PRINTABLE:=C3=')
    expect(entry).toMatchObject({ name: 'Maxl', phoneNumbers: ['1'] })
    expect(reasonsOf(entry)).toEqual(['The card has no END:VCARD: the file may have been cut off'])
  })

  test('a UTF-8 name that was cut within a character stays UTF-8', () => {
    const entry = onlyEntry(bytesOf('BEGIN:VCARD\nTEL:1\nFN:J\xc3\xbcrgen M\xc3', 'binary'))
    expect(entry.name).toBe('Jürgen M\ufffd')
    expect(reasonsOf(entry)).toContain('FN has bytes that are no text')
  })

  test('a file whose head is missing gives the first card with a reason', () => {
    const { entries } = readAll('FN:Ada\nTEL:1\nEND:VCARD\nBEGIN:VCARD\nFN:Bob\nTEL:2\nEND:VCARD\n')
    expect(entries.map(({ name }) => name)).toEqual(['Ada', 'Bob'])
    expect(reasonsOf(entries[0] as never)).toEqual(['The card has no BEGIN:VCARD: the head of the file may be missing'])
  })

  test('properties between two cards are a card of their own, and the next card is not within it', () => {
    const reader = new PhoneBookReader()
    const early = reader.push(bytesOf(`${card('FN:Ada', 'TEL:1')}TEL:3\n${card('FN:Bob', 'TEL:2')}`))
    expect(early.map(({ phoneNumbers }) => phoneNumbers)).toEqual([['1'], ['3'], ['2']])
  })

  test('a card without END gives an entry, and so does the card after it', () => {
    const { entries } = readAll(`BEGIN:VCARD\nFN:Ada\nTEL:1\n${card('FN:Bob', 'TEL:2')}`)
    expect(entries.map(({ name, phoneNumbers }) => [name, phoneNumbers])).toEqual([
      ['Ada', ['1']],
      ['Bob', ['2']],
    ])
  })

  test('cards within a card are entries of their own, in the order in which they begin', () => {
    const nested = card('N:parent', card('N:one').trimEnd(), card('N:two').trimEnd(), 'TEL:1')
    const { entries } = readAll(nested)
    expect(entries.map(({ index, line, name, phoneNumbers }) => [index, line, name, phoneNumbers])).toEqual([
      [0, 1, 'parent', ['1']],
      [1, 3, 'one', []],
      [2, 6, 'two', []],
    ])
  })

  test('an AGENT in either form is an entry of its own', () => {
    const old = card('VERSION:2.1', 'FN:Boss', 'AGENT:', card('VERSION:2.1', 'FN:Agent', 'TEL:2').trimEnd(), 'TEL:1')
    const escaped = 'BEGIN:VCARD\\nFN:Agent\\nTEL;TYPE=CELL:2\\nEND:VCARD\\n'
    for (const book of [old, card('VERSION:3.0', 'FN:Boss', `AGENT:${escaped}`, 'TEL:1')]) {
      const { entries } = readAll(book)
      expect(entries.map(({ name, phoneNumbers }) => [name, phoneNumbers])).toEqual([
        ['Boss', ['1']],
        ['Agent', ['2']],
      ])
    }
  })
})

describe('names', () => {
  test.each([
    [['N:Mustermann;Erika;;Dr.;jr.'], 'Dr. Erika Mustermann jr.', 'N'],
    [['FN:', 'N:;;;;', 'NICKNAME:Jojo,Jo'], 'Jojo', 'NICKNAME'],
    [['N:;;;;', 'ORG:Gump Shrimp\\; Co.;Sales'], 'Gump Shrimp; Co.', 'ORG'],
    [['N;LANGUAGE=ja:安藤;ロイド;;;'], '安藤 ロイド', 'N'],
  ])('%j, without FN, is called %s, with the reason', (lines, name, from) => {
    const entry = onlyEntry(card('VERSION:3.0', ...lines, 'TEL:1'))
    expect(entry.name).toBe(name)
    expect(entry.diagnoses).toEqual([{ line: 1, reason: `There is no FN, so the name is that of ${from}` }])
  })

  test('a card without a name, a number and an address is an entry that says so', () => {
    const entry = onlyEntry(card('VERSION:3.0', 'NOTE:nothing'))
    expect(entry).not.toHaveProperty('name')
    expect(reasonsOf(entry)).toEqual(['There is no name', 'There is no phone number and no e-mail address'])
  })

  test('backslashes are taken away as the version has it', () => {
    expect(onlyEntry(card('VERSION:3.0', 'FN:A\\, B\\; C\\nD')).name).toBe('A, B; C D')
    expect(onlyEntry(card('VERSION:2.1', 'FN:A\\; B\\next')).name).toBe('A; B\\next')
    expect(onlyEntry(card('VERSION:3.0', 'FN:A', 'TEL:205246\\;\\;\\,\\;')).phoneNumbers).toEqual(['205246;;,;'])
  })
})

describe('character sets', () => {
  /** Bytes as iconv writes them. */
  const names = {
    'windows-1250': ['Dvořák Jiří', '44 76 6f f8 e1 6b 20 4a 69 f8 ed'],
    'windows-1251': ['Іванов Олександр', 'b2 e2 e0 ed ee e2 20 ce eb e5 ea f1 e0 ed e4 f0'],
    'windows-1252': ['François Müller', '46 72 61 6e e7 6f 69 73 20 4d fc 6c 6c 65 72'],
    'windows-1253': ['Μαρία Παπαδά', 'cc e1 f1 df e1 20 d0 e1 f0 e1 e4 dc'],
    'windows-1254': ['Gülşen Yıldız', '47 fc 6c fe 65 6e 20 59 fd 6c 64 fd 7a'],
    'windows-1255': ['שלום כהן', 'f9 ec e5 ed 20 eb e4 ef'],
    'windows-1256': ['محمد علي', 'e3 cd e3 cf 20 da e1 ed'],
    shift_jis: ['安藤 ロイド', '88 c0 93 a1 20 83 8d 83 43 83 68'],
  } as const

  test.each(Object.entries(names))(
    'an unlabelled name in %s is read as such, with the reason',
    (label, [name, hex]) => {
      const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
      const book = Buffer.concat([
        Buffer.from('BEGIN:VCARD\nVERSION:2.1\nTEL:1\nFN:'),
        bytes,
        Buffer.from('\nEND:VCARD\n'),
      ])
      const entry = onlyEntry(new Uint8Array(book))
      expect(entry.name).toBe(name)
      expect(reasonsOf(entry)).toEqual([`FN names no character set, and was read as ${label}`])
    },
  )

  test('a CHARSET is used, also for the properties of the card that have none', () => {
    const book = 'BEGIN:VCARD\nFN:\xe1\nTEL:1\nLABEL;CHARSET=Windows-1253:\xe1\nEND:VCARD\n'
    expect(onlyEntry(bytesOf(book, 'binary')).name).toBe('α')
    expect(onlyEntry(bytesOf(card('FN;CHARSET=windows-1251:\xc0\xed\xed\xe0', 'TEL:1'), 'binary'))).toMatchObject({
      ...{ name: 'Анна', diagnoses: [] },
    })
  })

  test('a CHARSET that is unknown or wrong is said, and the text is read all the same', () => {
    const entry = onlyEntry(card('FN;CHARSET=KLINGON:Jürgen', 'TEL:1'))
    expect(entry.name).toBe('Jürgen')
    expect(reasonsOf(entry)).toEqual(['FN names the character set KLINGON, which is unknown, and was read as utf-8'])
    const wrong = onlyEntry(bytesOf(card('FN;CHARSET=UTF-8:M\xfcller', 'TEL:1'), 'binary'))
    expect(wrong.name).toBe('Müller')
    expect(reasonsOf(wrong)).toEqual(['FN is not in UTF-8, and was read as windows-1252'])
  })

  test('a file in UTF-16, with a mark or without, is read, and marks within it are passed over', () => {
    const book = card('VERSION:3.0', 'FN:Jürgen 安藤', 'TEL:1')
    const littleEndian = bytesOf(book, 'utf16le')
    const bigEndian = littleEndian.map((_, index) => littleEndian[index ^ 1] as number)
    const files = [
      bytesOf(`\ufeff${book}`, 'utf16le'),
      littleEndian,
      bigEndian,
      new Uint8Array([0xfe, 0xff, ...bigEndian]),
      bytesOf(`\ufeff${book}`),
    ]
    for (const file of files) {
      for (const pieceBytes of [1, 3, 1000]) {
        expect(readAll(file, { pieceBytes }).entries).toMatchObject([{ name: 'Jürgen 安藤', diagnoses: [] }])
      }
    }
    expect(readAll(`\ufeff${book}\ufeff${book}`).entries).toHaveLength(2)
  })
})

describe('bounds', () => {
  test('a picture takes no room, and a value that is too long is cut with a reason', () => {
    const picture = `PHOTO;ENCODING=b:${'A'.repeat(300_000)}`
    expect(onlyEntry(card('FN:Ada', picture, 'TEL:1'))).toMatchObject({ phoneNumbers: ['1'], diagnoses: [] })
    const entry = onlyEntry(card(`FN:${'A'.repeat(300_000)}`, 'TEL:1'))
    expect(entry.name?.length).toBeLessThan(70_000)
    expect(entry.phoneNumbers).toEqual(['1'])
    expect(reasonsOf(entry)).toEqual(['FN is too long, and was cut off'])
  })

  test('a card with a million numbers is cut with one reason', () => {
    const entry = onlyEntry(card('FN:Ada', ...Array.from({ length: 100_000 }, (_, index) => `TEL:${index}`)))
    expect(entry.phoneNumbers.length).toBeLessThan(5000)
    expect(reasonsOf(entry)).toEqual(['The card is too large: the rest of it was passed over'])
  })

  test('the diagnoses of one entry are few, and say how many more there are', () => {
    const { diagnoses } = onlyEntry(card('FN:Ada', 'TEL:1', ...Array.from({ length: 1000 }, () => 'stray')))
    expect(diagnoses).toHaveLength(21)
    expect(diagnoses.at(-1)?.reason).toBe('980 more like these')
  })

  test('cards that never end are entries before they take much memory', () => {
    const reader = new PhoneBookReader()
    const early = reader.push(bytesOf('BEGIN:VCARD\nFN:Ada\nTEL:1\n'.repeat(5000)))
    expect(early).toHaveLength(4000)
    const entries = [...early, ...reader.end()]
    expect(entries).toHaveLength(5000)
    expect(entries.every(({ index, line }) => line === index * 3 + 1)).toBe(true)
  })
})
