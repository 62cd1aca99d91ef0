import type { Kith, KithOptions } from '@kith/client'
import { openKith } from '@kith/client'
import { TestClock } from '@kith/client/testing'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { backend } from '../support/backend.ts'
import { keepRenewing } from '../support/client-internals.ts'
import { hostileServer } from '../support/hostile-server.ts'
import { nextEvent } from '../support/next-event.ts'

const hourMs = 3_600_000

test('a token function that never settles is unavailable after 20 s, is asked again, and its late answer is ignored', async () => {
  const { device, token } = await backend()
  const clock = new TestClock()
  const answers: ((token: string) => void)[] = []
  const alice = await device('alice', {
    ...{ clock, connect: false },
    token: () => new Promise<string>(resolve => answers.push(resolve)),
  })
  const failed = nextEvent(alice, 'error')
  alice.connect()
  await expect.poll(() => answers.length).toBe(1)
  expect(alice.status).toBe('connecting')
  clock.move(20_000)
  const [error] = await failed
  expect(error).toMatchObject({ code: 'unavailable', retryAfterMs: expect.any(Number) })
  expect(alice.status).toBe('offline')
  answers[0]?.(await token('alice'))
  clock.move(error.retryAfterMs as number)
  await expect.poll(() => answers.length).toBe(2)
  expect(alice.status).toBe('connecting')
  answers[1]?.(await token('alice'))
  await alice.whenSynced()
  expect(answers).toHaveLength(2)
})

test.each([
  ['resolves', async (answer: Answer) => answer.resolve('a-token')],
  ['rejects', async (answer: Answer) => answer.reject(new Error('no network'))],
])(
  'a token function that %s after the device was disconnected, or disconnected and closed, opens no socket and reports nothing',
  async (_, settle) => {
    for (const isClosed of [false, true]) {
      const clock = new TestClock()
      const server = hostileServer(() => false)
      const answers: Answer[] = []
      const token = (): Promise<string> => new Promise((resolve, reject) => answers.push({ resolve, reject }))
      const alice = await server.open('alice', { indexedDB: new IDBFactory(), clock, token, connect: false })
      const errors: unknown[] = []
      alice.on('error', error => errors.push(error))
      alice.connect()
      await expect.poll(() => answers.length).toBe(1)
      alice.disconnect()
      if (isClosed) await alice.close()
      await settle(answers[0] as Answer)
      for (let turns = 0; turns < 20; turns++) await new Promise(resolve => setImmediate(resolve))
      clock.move(hourMs)
      expect([server.connections, answers.length, errors, alice.status]).toEqual([0, 1, [], 'offline'])
    }
  },
)

test('a device that is disconnected while its socket is being opened closes that socket, and opens no other', async () => {
  const server = hostileServer(() => false)
  const clock = new TestClock()
  const alice = await server.open('alice', { indexedDB: new IDBFactory(), clock, connect: false })
  const statuses: string[] = []
  alice.on('status', status => statuses.push(status))
  alice.connect()
  // The socket exists as soon as the token does, and opens in a later turn.
  for (let step = 0; step < 1_000 && server.connections === 0; step++) await undefined
  expect(server.connections).toBe(1)
  alice.disconnect()
  for (let turns = 0; turns < 20; turns++) await new Promise(resolve => setImmediate(resolve))
  clock.move(hourMs)
  for (let turns = 0; turns < 20; turns++) await new Promise(resolve => setImmediate(resolve))
  expect([statuses, server.messages, server.connections]).toEqual([['connecting', 'offline'], 0, 1])
})

test('after each refused token, a device that was connected in between tries another one at once', async () => {
  const clock = new TestClock()
  let refusals = 1
  const server = hostileServer((message, _say, close) => {
    if (refusals === 0 || (message.type !== 'hello' && message.type !== 'barrier')) return false
    refusals--
    close(4401)
    return true
  })
  let count = 0
  const token = (): string => `token-${++count}`
  const alice = await server.open('alice', { indexedDB: new IDBFactory(), clock, token, connect: false })
  alice.connect()
  // The clock stands still, so a device that waits would wait for ever.
  await alice.whenSynced()
  expect([count, server.connections]).toEqual([2, 2])
  clock.move(10_000)
  refusals = 1
  await alice.whenSynced()
  expect([count, server.connections]).toEqual([3, 3])
})

test('a second token that is refused before any welcome waits for the backoff, even if the server took 6 s to refuse it', async () => {
  const clock = new TestClock()
  const server = hostileServer((_message, _say, close) => {
    close(4401)
    return true
  })
  let count = 0
  const token = (): string => {
    clock.move(6_000)
    return `token-${++count}`
  }
  const alice = await server.open('alice', { indexedDB: new IDBFactory(), clock, token, connect: false })
  const failed = nextEvent(alice, 'error')
  alice.connect()
  const [error] = await failed
  expect(error).toMatchObject({ code: 'unauthorised', retryAfterMs: expect.any(Number) })
  expect([count, server.connections, alice.status]).toEqual([2, 2, 'offline'])
})

test.each([
  [4_999, 'waits for the rest of the 5 s', ['unauthorised'], 2],
  [5_000, 'tries another one at once', [], 3],
])(
  'a device whose token is refused again %i ms after it tried another one at once %s',
  async (laterMs, _what, errors, tried) => {
    const clock = new TestClock()
    let refusals = 1
    const server = hostileServer((message, _say, close) => {
      if (refusals === 0 || (message.type !== 'hello' && message.type !== 'barrier')) return false
      refusals--
      close(4401)
      return true
    })
    let count = 0
    const token = (): string => `token-${++count}`
    const alice = await server.open('alice', { indexedDB: new IDBFactory(), clock, token, connect: false })
    const codes: string[] = []
    alice.on('error', ({ code }) => codes.push(code))
    alice.connect()
    await alice.whenSynced()
    clock.move(laterMs)
    refusals = 1
    const ended = nextEvent(alice, 'status', status => status !== 'synced')
    void alice.whenSynced().catch(() => undefined) // Raises a barrier.
    const [status] = await ended
    for (let turns = 0; turns < 50; turns++) await new Promise(resolve => setImmediate(resolve))
    expect([codes, count, server.connections, status === 'offline']).toEqual([errors, tried, tried, tried === 2])
  },
)

test('[F1] of two connects with a disconnect in between, only the token of the second opens a socket', async () => {
  const server = hostileServer(() => false)
  const answers: Answer[] = []
  const token = (): Promise<string> => new Promise((resolve, reject) => answers.push({ resolve, reject }))
  const alice = await server.open('alice', { indexedDB: new IDBFactory(), token, connect: false })
  alice.connect()
  await expect.poll(() => answers.length).toBe(1)
  alice.disconnect()
  alice.connect()
  await expect.poll(() => answers.length).toBe(2)
  answers[0]?.resolve('an-old-token')
  answers[1]?.resolve('a-token')
  await expect.poll(() => alice.status).toBe('synced')
  expect(server.connections).toBe(1)
})

interface Answer {
  resolve(token: string): void
  reject(error: Error): void
}

const useless: readonly (readonly [string, () => string | Promise<string>])[] = [
  ['throws at once', () => raise(new Error('no network'))],
  ['rejects', () => Promise.reject(new Error('no network'))],
  ['resolves to no string', () => Promise.resolve(undefined as never)],
  ['resolves to an object', () => Promise.resolve({ token: 'x' } as never)],
  ['resolves to an empty string', () => ''],
]

test.each(useless)(
  'a token function that %s gives no token: unavailable, with when it is asked again',
  async (_how, token) => {
    const { device } = await backend()
    const alice = await device('alice', { token, connect: false })
    const failed = nextEvent(alice, 'error')
    alice.connect()
    expect((await failed)[0]).toMatchObject({ code: 'unavailable', retryAfterMs: expect.any(Number) })
    expect(alice.status).toBe('offline')
  },
)

test('a token function that returns the refused token again does not cause an immediate reconnect', async () => {
  const { device } = await backend()
  let sockets = 0
  class Counting extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols)
      sockets++
    }
  }
  const clock = new TestClock()
  const options = { clock, WebSocket: Counting, connect: false }
  const alice = await device('alice', { ...options, token: () => 'eyJhbGciOiJIUzI1NiJ9.e30.AA' })
  const failed = nextEvent(alice, 'error')
  alice.connect()
  const [error] = await failed
  expect([error.code, error.retryAfterMs, sockets]).toEqual(['unauthorised', expect.any(Number), 1])
})

test('whenSynced rejects with unauthorised when a token that is a string is refused, and waits again after connect()', async () => {
  const { device } = await backend()
  const alice = await device('alice', { token: 'eyJhbGciOiJIUzI1NiJ9.e30.AA', connect: false })
  const waiting = alice.whenSynced()
  alice.connect()
  await expect(waiting).rejects.toMatchObject({ code: 'unauthorised' })
  await expect(alice.whenSynced()).rejects.toMatchObject({ code: 'unauthorised' })
  const refused = nextEvent(alice, 'error')
  alice.connect()
  const again = alice.whenSynced()
  await refused
  await expect(again).rejects.toMatchObject({ code: 'unauthorised' })
})

test('whenSynced goes on waiting when a token of a token function is refused, as another one may come', async () => {
  const { device, token } = await backend()
  let isRight = false
  const clock = new TestClock()
  const alice = await device('alice', {
    ...{ clock, connect: false },
    token: () => (isRight ? token('alice') : 'eyJhbGciOiJIUzI1NiJ9.e30.AA'),
  })
  const failed = nextEvent(alice, 'error')
  const synced = alice.whenSynced()
  alice.connect()
  const [{ retryAfterMs }] = await failed
  isRight = true
  clock.move(retryAfterMs as number)
  await synced
})

test('a token function that never settles keeps opening no longer than 10 s: the last visitor is opened', async () => {
  const { wsUrl, token } = await backend()
  const indexedDB = new IDBFactory()
  const options = { url: wsUrl, indexedDB, IDBKeyRange, WebSocket }
  await (await openKith({ ...options, token: () => token('alice') })).close()
  const clock = new TestClock()
  const opening = openKith({ ...options, clock, token: () => new Promise<string>(() => undefined) })
  await new Promise(resolve => setImmediate(resolve))
  clock.move(10_000)
  const alice = await opening
  expect(alice.user).toBe('alice')
  await alice.close()
})

test('only a token function opens the last visitor’s data without `user`: a token string without a user is unauthorised', async () => {
  const { wsUrl, token } = await backend()
  const indexedDB = new IDBFactory()
  const open = async (options: Pick<KithOptions, 'token'> & Partial<KithOptions>): Promise<string> => {
    const storage = { url: wsUrl, indexedDB, IDBKeyRange, WebSocket, connect: false }
    const kith: Kith = await openKith({ ...storage, ...options })
    await kith.close()
    return kith.user
  }
  await open({ token: await token('alice') })
  const strings = ['garbage', '', 'a.b.c', jwt({}), jwt({ sub: 7 }), jwt({ sub: '..' }), jwt({ sub: ' alice ' })]
  for (const string of strings) {
    await expect(open({ token: string }), string).rejects.toMatchObject({ code: 'unauthorised' })
  }
  expect(await open({ token: () => 'garbage' })).toBe('alice')
  expect(await open({ token: () => 'garbage', connect: true })).toBe('alice')
  expect(await open({ token: () => jwt({}), connect: true })).toBe('alice')
  expect(await open({ token: () => ({}) as never, connect: true })).toBe('alice')
  // An app that names the user has stated whose data it wants. Only the connection is then refused.
  expect(await open({ token: 'garbage', user: 'alice' })).toBe('alice')
  expect(await open({ token: () => token('bob'), connect: true })).toBe('bob')
  await expect(open({ token: await token('bob'), user: 'alice' })).rejects.toMatchObject({ code: 'wrong-user' })
})

test.each([
  ['an hour', { iat: 0, exp: 3600 }, hourMs - 60_000],
  ['an hour, by a clock that is two hours behind', { iat: 7200, exp: 10_800 }, hourMs - 60_000],
  ['an hour, by a clock that is ten years ahead', { iat: -315_360_000, exp: -315_356_400 }, hourMs - 60_000],
  ['50 s', { iat: 0, exp: 50 }, 40_000],
  ['31 s', { iat: 0, exp: 31 }, 30_000],
  ['a second', { iat: 0, exp: 1 }, 30_000],
  ['an hour, without iat', { exp: 3600 }, hourMs - 60_000],
  ['an hour, without iat, by a clock that is an hour ahead', { exp: 0 }, undefined],
  ['nothing', { iat: 3600, exp: 0 }, undefined],
  ['no time', { iat: 0, exp: 0 }, undefined],
  ['ever', { iat: 0 }, undefined],
] as const)(
  'a token that lasts %s is renewed in time, and no sooner than 30 s after it came',
  async (_long, times, dueMs) => {
    const clock = new TestClock()
    const nowSeconds = clock.now() / 1000
    const claims = Object.fromEntries(Object.entries(times).map(([name, at]) => [name, nowSeconds + at]))
    const renewals = watched(clock, jwt(claims), () => jwt({ ...claims, jti: 'the next' }))
    clock.move((dueMs ?? 100 * hourMs) - 1)
    await renewals.settled()
    expect(renewals.asked).toBe(0)
    if (dueMs === undefined) return
    clock.move(1)
    await renewals.settled()
    expect([renewals.asked, renewals.sent]).toEqual([1, 1])
  },
)

test.each([2 * hourMs, -2 * hourMs, 87_600 * hourMs, -87_600 * hourMs])(
  'a device whose clock is %i ms off renews one-hour tokens once an hour, whenever the clock is set',
  async offMs => {
    const clock = new TestClock()
    const issue = (): string => {
      const iat = (clock.elapsed() - offMs) / 1000
      return jwt({ iat, exp: iat + 3600 })
    }
    const renewals = watched(clock, issue(), issue)
    for (let minute = 0; minute < 600; minute++) {
      clock.move(60_000)
      if (minute === 100) clock.set(hourMs)
      if (minute === 200) clock.set(-87_600 * hourMs)
      await renewals.settled()
    }
    expect(renewals.sent).toBe(10)
  },
)

test('a renewal that fails, hangs or returns the same token is retried at growing intervals, and reported', async () => {
  const clock = new TestClock()
  const first = jwt({ iat: 0, exp: 50 })
  const answers: (() => string | Promise<string>)[] = [
    () => first,
    () => new Promise<string>(() => undefined),
    () => '',
    () => 'no token!',
    () => jwt({ iat: 0, exp: 3600 }),
  ]
  const renewals = watched(clock, first, () => (answers.shift() as () => string)())
  const passed: number[] = []
  for (let second = 0; second < 700; second++) {
    const before = renewals.asked
    clock.move(1_000)
    await renewals.settled()
    if (renewals.asked > before) passed.push(second + 1)
  }
  // After 40 s, then after 30 s, 60 s plus the time limit of 20 s, 120 s, and 240 s.
  expect(passed).toEqual([40, 70, 150, 270, 510])
  expect(renewals.sent).toBe(1)
  expect(renewals.errors).toEqual([
    { code: 'unavailable', retryAfterMs: 60_000 },
    { code: 'unavailable', retryAfterMs: 120_000 },
    { code: 'unavailable', retryAfterMs: 240_000 },
  ])
})

test('tokens that last a second do not make a device reconnect every second', async () => {
  const { device, token } = await backend()
  const clock = new TestClock()
  let asked = 0
  const alice = await device('alice', {
    ...{ clock, connect: false },
    token: () => {
      asked++
      return token('alice', 1)
    },
  })
  const ended = nextEvent(alice, 'error', ({ code }) => code === 'unauthorised')
  alice.connect()
  const [{ retryAfterMs }] = await ended
  expect(asked).toBeLessThanOrEqual(3)
  expect(retryAfterMs).toBeGreaterThan(4_000)
})

interface Renewals {
  readonly asked: number
  readonly sent: number
  readonly errors: readonly unknown[]
  settled(): Promise<void>
}

/** The renewals of one session. */
function watched(clock: TestClock, token: string, next: () => string | Promise<string>): Renewals {
  const seen = {
    ...{ asked: 0, sent: 0, errors: [] as unknown[] },
    settled: () => new Promise<void>(resolve => setImmediate(resolve)),
  }
  const source = (): string | Promise<string> => {
    seen.asked++
    return next()
  }
  const failed = ({ code, retryAfterMs }: { code: string; retryAfterMs?: number | undefined }): void =>
    void seen.errors.push({ code, retryAfterMs })
  keepRenewing(
    { clock, token: source, failed } as unknown as Parameters<typeof keepRenewing>[0],
    token,
    () => seen.sent++,
  )
  return seen
}

/** An unsigned token. */
function jwt(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'HS256' })}.${part(claims)}.AA`
}

function raise(error: Error): never {
  throw error
}
