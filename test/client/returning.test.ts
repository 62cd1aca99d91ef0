import { applyChanges, documentDigest, type KeyChange, profileKey, profileRoot } from '@kith/shared'
import { type ClientMessage, decodeFrame, encodeFrame } from '@kith/shared/wire'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { type Backend, backend } from '../support/backend.ts'

test('[F1] a returning device sends its cursor, and gets what changed since', async () => {
  const { open, device } = await backend()
  const owners = [await device('alice'), await device('carol')]
  for (const owner of owners) {
    await owner.ownProfile.set('name', `${owner.user} before`)
    await owner.whenSynced()
  }
  const phone = { indexedDB: new IDBFactory(), databaseName: 'phone' }
  const bob = await open('bob', phone)
  for (const { user } of owners) await bob.getProfile(user).loaded
  await bob.whenSynced()
  await bob.close()
  await owners[0]?.ownProfile.set('name', 'alice after')
  await owners[0]?.whenSynced()

  const came: unknown[] = []
  class Overheard extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols)
      this.on('message', data => {
        const frame = decodeFrame(new Uint8Array(data as Buffer))
        if (frame.type === 'profile') came.push(frame.fields)
      })
    }
  }
  const again = await open('bob', { ...phone, WebSocket: Overheard })
  await again.whenSynced()
  expect(came).toEqual([{ name: 'alice after' }])
  expect(again.getProfile('alice').get('name')).toBe('alice after')
})

/**
 * The document after ten years: three devices, each of which lost its storage every one or two years, alternated their values.
 */
function tenYears(changes: (turn: number, client: number) => KeyChange[]): Y.Doc {
  const doc = new Y.Doc()
  for (let client = 0; client < 13; client++) {
    doc.clientID = 2 ** 31 + client * 1_000_003
    for (let turn = 0; turn < 150; turn++) applyChanges(doc, changes(turn, client))
  }
  return doc
}

const rosterHistory = (turn: number, client: number): KeyChange[] => [
  { root: 'contacts', key: `person ${client} of ${turn}`, value: true },
  { root: 'labels', key: `person ${turn % 7}`, value: `label ${turn}` },
  { root: 'grants', key: `1/person ${turn % 5}`, value: turn % 3 === 0 ? undefined : true },
]
const profileHistory = (turn: number): KeyChange[] => [
  { root: profileRoot, key: profileKey(turn % 3, 'writer-1', `field ${turn % 5}`), value: turn % 4 ? turn : undefined },
]

/** Brings documents to the server, as a device that has them. */
async function fill({ url, token }: Backend, user: string, roster: Y.Doc, profile: Y.Doc): Promise<void> {
  const socket = new WebSocket(`${url}/v1/roster/${user}`, ['kith.v1', `bearer.${await token(user)}`])
  const send = (message: ClientMessage): void => socket.send(encodeFrame(message))
  await new Promise<void>((resolve, reject) => {
    socket.on('close', (code, reason) => reject(new Error(`${code} ${reason}`)))
    socket.on('open', () => send({ type: 'hello', version: 1, cursor: new Uint8Array() }))
    socket.on('message', data => {
      const frame = decodeFrame(new Uint8Array(data as Buffer))
      if (frame.type === 'reached') resolve()
      if (frame.type !== 'welcome') return
      send({ type: 'rosterSync', step: 'step2', payload: Y.encodeStateAsUpdate(roster) })
      send({ type: 'ownProfile', step: 'step2', payload: Y.encodeStateAsUpdate(profile) })
      send({ type: 'barrier', id: 1, withFeed: false })
    })
  })
  socket.removeAllListeners('close')
  socket.terminate()
}

/** A socket that counts the bytes in both directions for the documents: their frames, and the digests in hello and welcome. */
function counting(): { Counting: typeof WebSocket; bytes: () => number; steps: () => string[] } {
  let bytes = 0
  const steps: string[] = []
  const count = (data: Uint8Array): void => {
    const frame = decodeFrame(data)
    if (frame.type === 'hello') bytes += frame.holds ? 32 : 0
    if (frame.type === 'welcome') bytes++
    if (frame.type !== 'rosterSync' && frame.type !== 'ownProfile') return
    bytes += data.length
    steps.push(`${frame.type} ${frame.step}`)
  }
  class Counting extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols)
      this.on('message', data => count(new Uint8Array(data as Buffer)))
    }

    override send(data: Uint8Array): void {
      count(data)
      super.send(data)
    }
  }
  return { Counting: Counting as unknown as typeof WebSocket, bytes: () => bytes, steps: () => steps }
}

test('[F1][D3] a device that has everything exchanges at most 200 bytes for its documents after ten years, and both sides go on', async () => {
  const server = await backend()
  const [roster, profile] = [tenYears(rosterHistory), tenYears(profileHistory)]
  await fill(server, 'alice', roster, profile)
  const phone = { indexedDB: new IDBFactory(), databaseName: 'phone' }
  const before = await server.open('alice', phone)
  await before.enableAutoSyncContacts(false)
  await before.whenSynced()
  await before.close()

  const first = counting()
  const again = await server.open('alice', { ...phone, WebSocket: first.Counting })
  await again.whenSynced()
  expect(first.steps()).toEqual(['rosterSync step1', 'rosterSync step2'])
  expect(first.bytes()).toBeLessThanOrEqual(200)
  // Without digests it is this much, and it grows each year.
  expect(Y.encodeStateAsUpdate(roster, Y.encodeStateVector(roster)).length).toBeGreaterThan(1_000)

  // Both continue from there: changes of another device arrive, and changes of this device are sent.
  const other = await server.device('alice')
  await other.whenSynced()
  const person = other.getProfile('person 1')
  person.setLabel('from the other')
  await person.save()
  await other.ownProfile.set('name', 'Ada')
  await other.whenSynced()
  await again.whenSynced()
  expect([again.getProfile('person 1').label, again.ownProfile.get('name')]).toEqual(['from the other', 'Ada'])
  const back = again.getProfile('person 2')
  back.setLabel('from the phone')
  back.setProfileAccessLevels([])
  await back.save()
  await again.ownProfile.unset('name')
  await again.whenSynced()
  await other.whenSynced()
  expect([other.getProfile('person 2').label, other.ownProfile.get('name')]).toEqual(['from the phone', undefined])
})

test('[F1][D3] after ten years too a returning device gets what was only removed meanwhile, and the server gets what the device removed', async () => {
  const server = await backend()
  await fill(server, 'alice', tenYears(rosterHistory), tenYears(profileHistory))
  const phone = { indexedDB: new IDBFactory(), databaseName: 'phone' }
  const before = await server.open('alice', phone)
  await before.whenSynced()
  before.disconnect()
  const other = await server.device('alice')
  await other.whenSynced()
  const label = (kith: typeof other, id: string): string | undefined => kith.getProfile(id).label
  expect([label(other, 'person 1'), label(other, 'person 2')]).not.toContain(undefined)
  for (const [kith, id] of [
    [other, 'person 1'],
    [before, 'person 2'],
  ] as const) {
    const person = kith.getProfile(id)
    person.setLabel('')
    await person.save()
  }
  await other.whenSynced()
  await before.close()
  const again = await server.open('alice', phone)
  await again.whenSynced()
  await other.whenSynced()
  for (const kith of [again, other]) {
    expect([label(kith, 'person 1'), label(kith, 'person 2')]).toEqual([undefined, undefined])
  }
})

test('[D3] documents have the same digest only if they hold the same, however they came about', () => {
  const doc = tenYears(rosterHistory)
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  expect(documentDigest(copy)).toEqual(documentDigest(doc))
  expect(documentDigest(doc)).toHaveLength(16)
  copy.getMap('labels').delete('person 1')
  expect(Y.encodeStateVector(copy)).toEqual(Y.encodeStateVector(doc))
  expect(documentDigest(copy)).not.toEqual(documentDigest(doc))
  expect(documentDigest(new Y.Doc())).toBe(undefined)
})
