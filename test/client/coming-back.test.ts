import { TestClock } from '@kith/client/testing'
import { encodeFrame, type ServerMessage } from '@kith/shared/wire'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { backend } from '../support/backend.ts'
import { ConnectionManager, coreOf, SyncState } from '../support/client-internals.ts'
import { installation } from '../support/devices.ts'

const limits = {
  ...{ profileBytes: 65_536, profileLevels: 16, rosterBytes: 8_388_608 },
  ...{ fieldNameBytes: 64, labelBytes: 256, messageBytes: 16_384, relations: 100_000 },
}
const welcome: ServerMessage = {
  ...{ type: 'welcome', isFresh: true, isErased: false, incarnation: new Uint8Array(16), limits },
}
const update: ServerMessage = { type: 'rosterSync', step: 'update', payload: new Uint8Array([0, 0]) }

test('the backoff doubles up to 30 seconds, and is reset by a welcome', async () => {
  const { delayAfter } = await scripted()
  const delays: number[] = []
  for (let attempt = 0; attempt < 9; attempt++) delays.push(await delayAfter([update]))
  expect(delays).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  expect(await delayAfter([update, welcome])).toBe(500)
  expect(await delayAfter([])).toBe(1_000)
  expect(await delayAfter([welcome])).toBe(500)
})

test('[S3] a device waits for the server’s retry hint and then for its own backoff', async () => {
  const { delayAfter, failures } = await scripted()
  expect(await delayAfter([], 4529, 'too-many-writes retry-after-ms=5000')).toBe(5_500)
  expect(await delayAfter([], 4529, 'too-many-connections retry-after-ms=30000')).toBe(31_000)
  expect(failures).toMatchObject([
    { code: 'too-many-writes', retryAfterMs: 5_500 },
    { code: 'too-many-connections', retryAfterMs: 31_000 },
  ])
})

test('[S3] `connect()` ends a wait without making the later ones shorter; after `disconnect()` the first wait is the shortest', async () => {
  const { link, endAfter, delayAfter } = await scripted()
  for (const delayMs of [500, 1_000]) expect(await delayAfter([])).toBe(delayMs)
  await endAfter([])
  link.connect()
  expect(await delayAfter([])).toBe(4_000)
  await endAfter([])
  link.disconnect()
  link.connect()
  expect(await delayAfter([])).toBe(500)
})

test('[F1] a session is synced when the server has taken all and has handed over all, not when either is so', async () => {
  const { store } = coreOf(await installation('alice').open())
  for (const first of ['isDrained', 'isCaughtUp'] as const) {
    const shown: string[] = []
    const state = new SyncState({
      store,
      setStatus: status => shown.push(status),
      settled: () => shown.push('settled'),
    })
    state.show()
    state[first] = true
    state.show()
    expect(shown).toEqual(['syncing'])
    state.isDrained = true
    state.isCaughtUp = true
    state.show()
    expect(shown).toEqual(['syncing', 'settled', 'synced'])
  }
})

test('[D5] a change in flight when the connection is lost is sent again, and nothing that the device has is requested', async () => {
  const { device } = await backend()
  const sent: string[][] = []
  let breaksAt: ((frame: Uint8Array) => boolean) | undefined
  class Recording extends WebSocket {
    readonly #sent: string[] = []
    constructor(url: string, protocols: string[]) {
      super(url, protocols)
      sent.push(this.#sent)
    }
    override send(data: never): void {
      const frame = data as Uint8Array
      this.#sent.push(Buffer.from(frame).toString('hex'))
      super.send(data)
      if (!breaksAt?.(frame)) return
      breaksAt = undefined
      this.terminate()
    }
  }
  const alice = await device('alice', { WebSocket: Recording as never })
  await alice.ownProfile.set('name', 'Ada')
  await alice.whenSynced()
  // `ownProfile` is message 102; 2 is an update.
  breaksAt = frame => frame[0] === 102 && frame[1] === 2
  await alice.ownProfile.set('name', 'Ada Lovelace')
  await alice.whenSynced()
  expect(sent.length).toBe(2)
  // A step 1 with an empty state vector requests everything.
  const all = sent.map(frames => frames.filter(frame => frame === '66000100').length)
  expect(all[1]).toBe(0)
  expect([alice.unsent, alice.ownProfile.get('name')]).toEqual([0, 'Ada Lovelace'])
})

test('[F1] an update from another device that arrives in order triggers no sync step 1', async () => {
  const { device } = await backend()
  let steps = 0
  class Counting extends WebSocket {
    override send(data: never): void {
      const [type, step] = data as Uint8Array
      if ((type === 0 || type === 102) && step === 0) steps++
      super.send(data)
    }
  }
  const [phone, laptop] = [await device('alice', { WebSocket: Counting as never }), await device('alice')]
  await Promise.all([phone.whenSynced(), laptop.whenSynced()])
  expect(steps).toBe(2)
  for (let round = 0; round < 3; round++) {
    await laptop.ownProfile.set('name', `Ada ${round}`)
    const bob = laptop.getProfile('bob')
    bob.setLabel(`Bob ${round}`)
    await bob.save()
    await laptop.whenSynced()
    await phone.whenSynced()
    expect([phone.ownProfile.get('name'), coreOf(phone).shown.profile('bob').label]).toEqual([
      `Ada ${round}`,
      `Bob ${round}`,
    ])
  }
  expect(steps).toBe(2)
})

test('a device that disconnects while it stores received frames stays offline', async () => {
  const { device } = await backend()
  let onProfile: () => void = () => undefined
  class Listening extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols)
      // `profile` is message 108.
      this.on('message', data => new Uint8Array(data as ArrayBuffer)[0] === 108 && onProfile())
    }
  }
  const [alice, bob] = [await device('alice', { WebSocket: Listening as never }), await device('bob')]
  await bob.whenSynced()
  await alice.getProfile('bob').loaded
  await alice.whenSynced()
  let isReleased = false
  const held = coreOf(alice).store.work(async ({ db }) => {
    while (!isReleased) await db.meta.count()
  })
  const arrived = new Promise<void>(resolve => {
    onProfile = resolve
  })
  await bob.ownProfile.set('name', 'Bob')
  await arrived
  const statuses: string[] = []
  alice.disconnect()
  alice.on('status', status => statuses.push(status))
  isReleased = true
  await held
  for (let turn = 0; turn < 5; turn++) await coreOf(alice).store.refresh()
  expect([alice.status, statuses]).toEqual(['offline', []])
  alice.connect()
  await alice.whenSynced()
  expect(coreOf(alice).shown.profile('bob').get('name')).toBe('Bob')
})

test('a message that waits for a connection is rejected with closed when the client is closed', async () => {
  const kith = await installation('alice').open()
  const outcome = kith.send('bob', 'hello').then(
    () => 'an outcome',
    ({ code }) => code,
  )
  await kith.close()
  expect(await outcome).toBe('closed')
})

/** A link to a server that sends the frames of a test, and closes. Its random numbers are the largest possible. */
async function scripted() {
  const clock = new TestClock()
  const kith = await installation('alice').open()
  const failures: unknown[] = []
  let socket: Scripted | undefined
  class Scripted {
    onopen!: () => void
    onmessage!: (event: { data: unknown }) => void
    onclose!: (event: { code: number; reason: string }) => void
    constructor() {
      socket = this
    }
    send(): void {
      // The script ignores the device's messages.
    }
    close(): void {
      // The other side does not answer.
    }
  }
  const link = new ConnectionManager(
    {
      ...{ user: 'alice', url: 'ws://127.0.0.1:9', token: () => 'a-token', store: coreOf(kith).store, clock },
      randomness: { bytes: length => new Uint8Array(length), fraction: () => 1 },
      WebSocket: Scripted as never,
      openStore: () => coreOf(kith).store.openStore(),
      setStatus: () => undefined,
      settled: () => undefined,
      accountErased: () => undefined,
      failed: error => void failures.push(error),
      showPresence: () => undefined,
      received: async () => undefined,
    },
    undefined,
  )
  link.connect()
  /** The server sends these frames, and closes. */
  const endAfter = async (frames: readonly ServerMessage[], code = 4500, reason = ''): Promise<void> => {
    await expect.poll(() => socket).toBeDefined()
    const { onopen, onmessage, onclose } = socket as Scripted
    socket = undefined
    onopen()
    for (const frame of frames) onmessage({ data: new Uint8Array(encodeFrame(frame)).buffer })
    // Waits until the received frames are stored.
    for (let turn = 0; turn < 5; turn++) await coreOf(kith).store.refresh()
    onclose({ code, reason })
  }
  return {
    link,
    failures,
    endAfter,
    /** Returns how long the device waits after these frames. */
    async delayAfter(frames: readonly ServerMessage[], code?: number, reason?: string): Promise<number> {
      await endAfter(frames, code, reason)
      const startMs = clock.now()
      clock.moveToNext()
      return clock.now() - startMs
    },
  }
}
