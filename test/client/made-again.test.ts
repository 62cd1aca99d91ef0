import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { goneKeys, madeAgainIn, OwnDocument, piecesOf, putAbove, removedAgain } from '../support/client-internals.ts'
import { entry, rawUpdate } from '../support/raw-update.ts'

/** Client ids of content that was made again. The higher one takes precedence. */
const [lower, higher] = [1, 2]
const key = '0/writer/name'

const profile = (clientId: number): OwnDocument => new OwnDocument('profile', clientId)
const setting = (value: string) => [{ root: 'fields', key, value }]
const nameOf = ({ standing }: OwnDocument): unknown => standing.get('fields', key)

/** A device applies an update of another device, as it does with a server's frame. */
function take(device: OwnDocument, update: Uint8Array): void {
  const brought = madeAgainIn(update)
  const gone = goneKeys(device, new Set(), [...brought.keys()])
  device.take(update)
  device.write(removedAgain(device, gone, brought), lower)
}

/**
 * Two devices have made a field again. The laptop's entry takes precedence. The laptop has received the phone's entry, and
 * sends what the server lacks.
 */
function conflict(ofPhone: string, ofLaptop: string) {
  const [phone, laptop, server] = [profile(1e9), profile(2e9), profile(3e9)]
  const theirs = phone.write(setting(ofPhone), lower) as Uint8Array
  server.take(theirs)
  const unsent = [laptop.write(setting(ofLaptop), higher) as Uint8Array]
  laptop.take(theirs)
  const put = laptop.write(putAbove(laptop, madeAgainIn(theirs)), higher + 1)
  if (put) unsent.push(put)
  const lacking = Y.encodeStateAsUpdate(laptop.doc, Y.encodeStateVector(server.doc))
  const { removals, content } = piecesOf(lacking, 400, laptop.doc, unsent, true)
  return { phone, server, removals, content, entries: [Y.mergeUpdates(unsent)] }
}

test('[D6] an entry that says what it replaces is sent without removing that first, so the other device keeps the field', () => {
  const { phone, server, removals, content } = conflict('Ada', 'Ada')
  for (const piece of [...removals, ...content]) {
    server.take(piece)
    take(phone, piece)
    expect([nameOf(server), nameOf(phone)]).toEqual(['Ada', 'Ada'])
  }
})

for (const sent of ['content', 'entries'] as const) {
  test(`[V5][D6] a value that gave way to another is removed ahead, and the other value, sent as ${sent}, then stays on both devices`, () => {
    const { phone, server, removals, [sent]: after } = conflict('old', 'new')
    for (const piece of removals) {
      server.take(piece)
      take(phone, piece)
    }
    expect([nameOf(server), nameOf(phone)]).toEqual([undefined, undefined])
    for (const piece of after) {
      server.take(piece)
      take(phone, piece)
    }
    expect([nameOf(server), nameOf(phone)]).toEqual(['new', 'new'])
  })
}

test('[R2][V6] an entry that a device makes again after the user removed the key is removed', () => {
  const phone = profile(1e9)
  phone.write(setting('Ada'), lower)
  phone.write([{ root: 'fields', key, value: undefined }])
  const stale = profile(2e9).write(setting('Ada'), higher) as Uint8Array
  take(phone, stale)
  expect(nameOf(phone)).toBeUndefined()
})

test('[D6] of two entries of one key that were made again, the one that Yjs lets count is compared with what the device holds', () => {
  const structs = (value: string) => [entry('fields', key, value)]
  const blocks = [
    { client: lower, clock: 0, structs: structs('low') },
    { client: higher, clock: 0, structs: structs('high') },
  ]
  for (const ordered of [blocks, [...blocks].reverse()]) {
    const update = rawUpdate(ordered)
    const device = profile(1e9)
    device.take(update)
    expect(nameOf(device)).toBe('high')
    expect([...madeAgainIn(update)]).toEqual([[`fields ${key}`, { client: higher, value: 'high' }]])
  }
})
