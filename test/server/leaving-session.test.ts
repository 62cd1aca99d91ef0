import type { LevelDatabase } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { applyChanges, grantKey, type KeyChange, profileKey } from '@kith/shared'
import { type DeviceMessage, decodeFrame, encodeFrame, type Frame } from '@kith/shared/wire'
import { MemoryLevel } from 'memory-level'
import { expect, onTestFinished, test } from 'vitest'
import * as Y from 'yjs'
import { assemble, type DeviceSocket } from '../support/server-internals.ts'
import { Disk, loggerInto, openMemory } from '../support/server-world.ts'
import { limitsWith } from '../support/stores.ts'

/** A device's end of a session. It accepts frames as fast as a test lets it. */
class SlowDevice {
  readonly frames: Frame[] = []
  closedWith: [number, string] | undefined
  bufferedAmount = 0
  readonly #heard = new Map<string, ((...of: never[]) => void)[]>()
  readonly #docs = { rosterSync: new Y.Doc(), ownProfile: new Y.Doc() }

  /** The server's end. */
  get socket(): DeviceSocket {
    return this as unknown as DeviceSocket
  }

  on(event: string, heard: (...of: never[]) => void): void {
    this.#heard.set(event, [...(this.#heard.get(event) ?? []), heard])
  }

  pause(): void {
    // The device's own frames are not held back.
  }

  resume(): void {
    // As in `pause`.
  }

  ping(): void {
    // This device is never silent for long enough to be pinged.
  }

  send(frame: Uint8Array): void {
    this.frames.push(decodeFrame(frame) as Frame)
  }

  close(code: number, reason: string): void {
    this.closedWith = [code, reason]
    this.#emit('close')
  }

  terminate(): void {
    this.#emit('close')
  }

  say(message: DeviceMessage): void {
    this.#emit('message', Buffer.from(encodeFrame(message)), true)
  }

  edit(type: 'rosterSync' | 'ownProfile', ...changes: KeyChange[]): void {
    const doc = this.#docs[type]
    const before = Y.encodeStateVector(doc)
    applyChanges(doc, changes)
    this.say({ type, step: 'update', payload: Y.encodeStateAsUpdate(doc, before) })
  }

  count(type: Frame['type']): number {
    return this.frames.filter(frame => frame.type === type).length
  }

  #emit(event: string, ...of: unknown[]): void {
    for (const heard of this.#heard.get(event) ?? []) (heard as (...of: unknown[]) => void)(...of)
  }
}

function engineOn(disk: Disk, clock: TestClock) {
  const errors: unknown[] = []
  const limits = limitsWith()
  const engine = assemble({
    ...{ store: openMemory(disk, limits, clock), tokens: { secret: new Uint8Array(32) }, adminKey: 'key' },
    ...{ limits, clock, log: loggerInto(errors) },
  })
  onTestFinished(() => engine.close())
  const device = (user: string): SlowDevice => {
    const slow = new SlowDevice()
    engine.signIns.begin(slow.socket, { user, expiresAtMs: undefined, signedInAt: 0 }, '127.0.0.1')
    slow.say({ type: 'hello', version: 1, cursor: new Uint8Array() })
    for (const type of ['rosterSync', 'ownProfile'] as const) {
      slow.say({ type, step: 'step2', payload: Uint8Array.of(0, 0) })
    }
    return slow
  }
  return { engine, device }
}

test('[V6] [D2] [D5] while a device is still served, nothing that follows its failed revocation is stored or acknowledged', async () => {
  const disk = new Disk(new MemoryLevel({ keyEncoding: 'utf8', valueEncoding: 'view' }) as unknown as LevelDatabase)
  const clock = new TestClock()
  const { engine, device } = engineOn(disk, clock)
  const { store, accounts } = engine.context
  const carol = device('carol')
  carol.edit('ownProfile', { root: 'fields', key: profileKey(0, 'aaaaaaaa', 'name'), value: 'Carol' })
  await accounts.idle()
  const alice = device('alice')
  alice.bufferedAmount = 1_000_000
  const grant = { root: 'grants', key: grantKey(1, 'bob') }
  alice.edit('rosterSync', { root: 'subscriptions', key: 'carol', value: true }, { ...grant, value: true })
  await accounts.idle()

  disk.fill()
  alice.edit('rosterSync', { ...grant, value: undefined })
  alice.say({ type: 'barrier', id: 77, withFeed: false })
  await accounts.idle()
  disk.makeRoom()
  clock.move(1_000)
  await expect.poll(() => store.refusal).toBe(undefined)
  const phone = { root: 'fields', key: profileKey(1, 'aaaaaaaa', 'phone'), value: 'secret' }
  alice.edit('ownProfile', phone)
  await accounts.idle()
  expect(await store.levelsWithFields('alice')).toEqual([])
  expect([alice.closedWith, alice.count('reached'), alice.count('profile')]).toEqual([undefined, 0, 0])

  // The device accepts the frames that wait for it.
  alice.bufferedAmount = 0
  for (const { user, feed } of engine.signIns.sessions) if (user === 'alice') feed?.onTaken()
  await expect.poll(() => alice.closedWith).toEqual([4500, 'unavailable retry-after-ms=10000 the disk is full'])
  expect([alice.count('reached'), alice.count('profile')]).toEqual([0, 1])
})

test('a device that does not read its last frames is disconnected after a while', async () => {
  const disk = new Disk(new MemoryLevel({ keyEncoding: 'utf8', valueEncoding: 'view' }) as unknown as LevelDatabase)
  const clock = new TestClock()
  const { engine, device } = engineOn(disk, clock)
  const { accounts } = engine.context
  const carol = device('carol')
  carol.edit('ownProfile', { root: 'fields', key: profileKey(0, 'aaaaaaaa', 'name'), value: 'Carol' })
  await accounts.idle()
  const alice = device('alice')
  alice.bufferedAmount = 1_000_000
  alice.edit('rosterSync', { root: 'subscriptions', key: 'carol', value: true })
  await accounts.idle()
  disk.fill()
  alice.edit('rosterSync', { root: 'contacts', key: 'bob', value: true })
  await accounts.idle()
  expect(alice.closedWith).toBe(undefined)
  clock.move(10_000)
  expect(alice.closedWith?.[0]).toBe(4500)
})
