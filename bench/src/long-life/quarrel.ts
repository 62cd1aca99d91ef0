import assert from 'node:assert/strict'
import { ContactSynchronizer } from '@kith/client'
import { type Row, rounded } from '../report.ts'
import { printBounded } from './bounds.ts'
import { Calendar } from './calendar.ts'
import { Installation } from './installation.ts'
import { LifeServer } from './life-server.ts'
import { boundsOf, boundsOfDevice, contentBytes, ownDocuments, sizesOf } from './own-documents.ts'
import { progressOf, tellRow } from './progress.ts'

/**
 * Two devices of one user have versions of an app that sync the same phone book to different levels, each once a day. The
 * private side also changes each day: one device blocks a contact, and the other one unblocks it.
 */
export async function quarrel(days: number, contactCount: number): Promise<void> {
  const calendar = new Calendar(days)
  const server = await LifeServer.start(calendar)
  try {
    const book = Array.from({ length: contactCount }, (_, index) => `+1212${5_550_000 + index}`)
    const devices = [1, 2].map(level => ({ device: new Installation('quarreller', server, calendar), level }))
    const tell = progressOf('a quarrel, days', days)
    const rows = new Map<string, Row>()
    const told = new Map<string, number>()
    let content = 0
    let silentDays = 0
    for (let day = 1; day <= days; day++) {
      calendar.passDay()
      for (const { device, level } of devices) {
        const { errors } = await device.session(undefined, async kith => {
          const { turned } = await new ContactSynchronizer(kith).setProfileAccessLevels([level]).sync(book)
          if (turned === undefined) silentDays++
          else assert.equal(turned, contactCount)
          await kith
            .getProfile(book[0] as string)
            .block(level === 1)
            .save()
          await kith.whenSynced()
        })
        for (const { code } of errors) told.set(code, (told.get(code) ?? 0) + 1)
      }
      tell(day)
      if (day % Math.ceil(days / 10) > 0) continue
      const { roster } = await ownDocuments(server, 'quarreller')
      content = Math.max(content, contentBytes(roster))
      await devices[0]?.device.session()
      const [returned, size] = [await devices[0]?.device.session(), await devices[0]?.device.databaseSize()]
      const row = {
        ...sizesOf('roster', roster),
        'return: bytes of documents': returned?.documentBytes ?? Number.NaN,
        'device: KB': rounded((size?.bytes ?? Number.NaN) / 1000),
      }
      rows.set(`day ${day}`, row)
      tellRow(`a quarrel, day ${day}`, row)
    }
    for (const code of told.keys()) assert.equal(code, 'sync-turns-back')
    // A device notices that it reverses the other device's changes, unless it finds no history. It finds no history on the
    // first days, and then once in each generation.
    const generations = 1 + Math.max(...[...rows.values()].map(row => row['roster: generation'] as number))
    assert.ok(silentDays <= devices.length * generations, `${silentDays} days silent in ${generations} generations`)
    // Each device receives this error at most once.
    assert.ok((told.get('sync-turns-back') ?? 0) <= devices.length)
    const documents = boundsOf('roster', content)
    const bounds = { ...documents, ...boundsOfDevice(documents), 'return: bytes of documents': 200 }
    printBounded(`two devices quarrel over ${contactCount} contacts for ${days} days`, rows, bounds)
  } finally {
    await server.stop()
    await server.removeFolder()
  }
}
