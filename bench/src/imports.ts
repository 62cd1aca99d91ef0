import { type KithOptions, openKith } from '@kith/client'
import { planImport, readContacts } from '@kith/client/import'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { WebSocket } from 'ws'
import { print, type Row, rounded } from './report.ts'

const entryCount = 10_000
const picture = `PHOTO;ENCODING=b;TYPE=JPEG:${`${'A'.repeat(74)}\r\n `.repeat(200)}\r\n`

const numberOf = (index: number): string => `+44 7700 ${900_000 + index}`
const card = (version: string, ...lines: string[]): string =>
  ['BEGIN:VCARD', `VERSION:${version}`, ...lines, 'END:VCARD', ''].join('\r\n')

/** Phone books of ten thousand entries, in the formats of vendors. */
const books: Record<string, (index: number) => string> = {
  'vCard 3.0': index => card('3.0', `N:Doe;Ann ${index};;;`, `FN:Ann Doe ${index}`, `TEL;TYPE=CELL:${numberOf(index)}`),
  'vCard 2.1, quoted-printable': index =>
    card('2.1', `N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;${index};;;`, `TEL;CELL:${numberOf(index)}`),
  'vCard 2.1, unlabelled Windows-1252': index => card('2.1', `FN:M\xfcller ${index}`, `TEL;CELL:${numberOf(index)}`),
  'vCard 3.0, pictures of 15 KB': index => card('3.0', `FN:Ann ${index}`, picture.trimEnd(), `TEL:${numberOf(index)}`),
  'CSV of Google': index =>
    `${index === 0 ? 'Name,Given Name,E-mail 1 - Value,Phone 1 - Value\r\n' : ''}"Doe, Ann ${index}",Ann,a@example.com,${numberOf(index)} ::: ${numberOf(index)}\r\n`,
}

/** (i) Measures reading phone books, comparing them with the contacts, and writing them, on IndexedDB in memory. */
export async function imports(): Promise<void> {
  const rows: Row[] = []
  for (const [what, entry] of Object.entries(books)) {
    const isBinary = what.includes('1252')
    const text = Array.from({ length: entryCount }, (_, index) => entry(index)).join('')
    rows.push({ book: what, ...(await measure(new Uint8Array(Buffer.from(text, isBinary ? 'latin1' : 'utf8')))) })
  }
  print(`(i) phone books of ${entryCount} entries, phone numbers with region GB`, rows)
}

async function measure(bytes: Uint8Array): Promise<Row> {
  const kith = await openKith({
    ...{ url: 'ws://127.0.0.1:9', user: 'alice', token: 'none', connect: false },
    ...{ indexedDB: new IDBFactory(), IDBKeyRange },
    WebSocket: WebSocket as unknown as NonNullable<KithOptions['WebSocket']>,
  })
  const options = { source: 'bench', phoneNumbers: { region: 'GB' }, levels: [1, 2], subscribe: true }
  const planned = (): ReturnType<typeof planImport> => planImport(kith, readContacts(bytes), options)
  try {
    let entries = 0
    const readMs = await timed(async () => {
      for await (const _ of readContacts(bytes)) entries++
    })
    const planMs = await timed(planned)
    const plan = await planned()
    const applyMs = await timed(() => plan.apply())
    const again = await planned()
    return {
      MB: rounded(bytes.length / 1e6),
      'entries/s read': Math.round((entries / readMs) * 1000),
      'MB/s read': rounded(bytes.length / 1000 / readMs),
      'ms until planned': rounded(planMs),
      'ms until applied': rounded(applyMs),
      'changed by the same file again': again.added.length + again.changed.length,
    }
  } finally {
    await kith.close()
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}
