import assert from 'node:assert/strict'
import { ContactSynchronizer, type Kith } from '@kith/client'
import { flatMapsOf, namedUsers } from '@kith/shared'
import { type Row, rounded } from '../report.ts'
import { printBounded } from './bounds.ts'
import { Calendar } from './calendar.ts'
import { Installation } from './installation.ts'
import { folderBytes, LifeServer } from './life-server.ts'
import { boundsOf, boundsOfDevice, contentBytes, ownDocuments, sizesOf } from './own-documents.ts'
import { progressOf, tellRow } from './progress.ts'

const contactsKept = 300
const contact = (index: number): string => `+1212${5_550_000 + index}`

/**
 * A user with a phone that is used each day, a laptop that is used each third day, and a tablet that is used each month. All of
 * them are edited offline before they connect. Once a year, one of them loses its storage.
 */
export async function ownerForYears(years: number, daysPerYear: number): Promise<void> {
  const calendar = new Calendar(years * daysPerYear)
  const server = await LifeServer.start(calendar)
  try {
    const devices = ['phone', 'laptop', 'tablet'].map(() => new Installation('owner', server, calendar))
    const [phone, laptop, tablet] = devices as [Installation, Installation, Installation]
    const tell = progressOf('one owner, days', years * daysPerYear)
    const measured = new Map<string, Measured>()
    for (let day = 0; day < years * daysPerYear; day++) {
      calendar.passDay()
      if (day % daysPerYear === Math.floor(daysPerYear / 2)) {
        const lost = devices[Math.floor(day / daysPerYear) % devices.length] as Installation
        lost.loseStorage()
        await lost.session()
      }
      await edited(phone, kith => editOnPhone(kith, day))
      if (day % 3 === 0) await edited(laptop, kith => relabel(kith, day, 'laptop', 10))
      if (day % 30 === 0) await edited(tablet, kith => relabel(kith, day, 'tablet', 20))
      tell(day)
      if ((day + 1) % daysPerYear > 0) continue
      await expectSame(devices, day)
      const one = await measure(server, phone)
      measured.set(`year ${(day + 1) / daysPerYear}`, one)
      tellRow(`one owner, year ${(day + 1) / daysPerYear}`, one.row)
    }
    report(measured, `${years} years of ${daysPerYear} days: one owner, three devices`)
  } finally {
    await server.stop()
    await server.removeFolder()
  }
}

/** A session in which no error may occur. */
async function edited(device: Installation, edit: (kith: Kith) => Promise<unknown>): Promise<void> {
  const { errors } = await device.session(edit)
  // After that error, the device retries automatically.
  assert.deepEqual(
    errors.filter(({ code }) => code !== 'unavailable'),
    [],
  )
}

/**
 * Edits a status, replaces two contacts by two others, and edits labels and levels; also a picture each week, and the phone
 * book each month.
 */
async function editOnPhone(kith: Kith, day: number): Promise<void> {
  await kith.ownProfile.set('status', `on day ${day}`)
  if (day % 7 === 0) await kith.ownProfile.set('picture', new Uint8Array(20_000).fill(day), { level: 1 })
  const come = [2 * day, 2 * day + 1]
  const saved = come.map(index =>
    kith.getProfile(contact(index)).setLabel(`Contact ${index}`).setProfileAccessLevels([1]).save(),
  )
  await Promise.all(saved)
  const gone = come.map(index => index - contactsKept).filter(index => index >= 0)
  if (gone.length > 0) await kith.removeContacts(gone.map(contact))
  await relabel(kith, day, 'phone', 10)
  if (day % 30 > 0) return
  const book = present(day).slice(0, 50).map(contact)
  await new ContactSynchronizer(kith).setProfileAccessLevels([1, 2]).syncAsUpdate(book)
}

/** Edits labels, levels and blocks of contacts that will stay for some time. */
async function relabel(kith: Kith, day: number, by: string, count: number): Promise<void> {
  const all = present(day)
  const middle = Math.floor(all.length / 2)
  const edits = all.slice(middle, middle + count).map(index => {
    const one = kith.getProfile(contact(index)).setLabel(`Contact ${index}, by the ${by} on day ${day}`)
    return one
      .setProfileAccessLevels(day % 2 === 0 ? [1, 3] : [1])
      .block(day % 5 === 0)
      .save()
  })
  await Promise.all(edits)
}

/** Returns the contacts that the phone has added, and not removed, by a day. */
function present(day: number): number[] {
  const first = Math.max(0, 2 * day + 2 - contactsKept)
  return Array.from({ length: 2 * day + 2 - first }, (_, index) => first + index)
}

/** Checks that all devices have the same data, that no removed contact came back, and that nothing is unsent. */
async function expectSame(devices: readonly Installation[], day: number): Promise<void> {
  const seen: unknown[] = []
  for (const device of devices) {
    await device.session(undefined, async kith => {
      const rows = await kith.getContacts({ isContact: true })
      seen.push(rows.map(({ id, label, levels, isBlocked }) => ({ id, label, levels, isBlocked })))
      assert.equal(kith.ownProfile.get('status'), `on day ${day}`)
      assert.equal(kith.unsent, 0)
      assert.deepEqual(rows.map(({ id }) => id).sort(), present(day).map(contact).sort())
    })
  }
  for (const other of seen.slice(1)) assert.deepEqual(other, seen[0])
}

interface Measured {
  row: Row
  /** The number of users whom the roster names. */
  named: number
  content: { roster: number; profile: number }
}

async function measure(server: LifeServer, phone: Installation): Promise<Measured> {
  const startMs = await server.restart()
  const cold = await phone.session()
  const warm = await phone.session()
  const { roster, profile } = await ownDocuments(server, phone.user)
  const { bytes, rows } = await phone.databaseSize()
  const row = {
    ...sizesOf('roster', roster),
    ...sizesOf('profile', profile),
    'return: bytes': warm.bytes,
    'return: bytes of documents': warm.documentBytes,
    'return: ms': rounded(warm.tookMs),
    'return after a restart: ms': rounded(cold.tookMs),
    'device: KB': rounded(bytes / 1000),
    'device: rows': rows,
    'server: MB': rounded((await folderBytes(server.folder)) / 1e6),
    'server: ms to start': rounded(startMs),
  }
  const named = namedUsers(flatMapsOf(roster)).size
  return { row, named, content: { roster: contentBytes(roster), profile: contentBytes(profile) } }
}

function report(measured: ReadonlyMap<string, Measured>, title: string): void {
  const all = [...measured.values()]
  const most = (name: 'roster' | 'profile'): number => Math.max(...all.map(({ content }) => content[name]))
  const documents = { ...boundsOf('roster', most('roster')), ...boundsOf('profile', most('profile')) }
  const bounds = {
    ...documents,
    ...boundsOfDevice(documents),
    // One row for each user whom the roster names, including declined users, and the changes since the last snapshots.
    'device: rows': Math.max(...all.map(({ named }) => named)) + 500,
    'return: bytes of documents': 200,
    'return: bytes': 4_000,
    'return: ms': 1_000,
    'return after a restart: ms': 2_000,
    'server: MB': 5,
    'server: ms to start': 2_000,
  }
  printBounded(title, new Map([...measured].map(([when, { row }]) => [when, row])), bounds)
}
