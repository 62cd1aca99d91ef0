import { EventRoom, openMemoryStore } from '@kith/server'
import { startTestServer, TestClock } from '@kith/server/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { profileChange, rosterChange } from '../support/server-internals.ts'
import { limitsWith } from '../support/stores.ts'

const adminKey = 'the admin key of these tests'

interface Answer {
  status: number
  body: unknown
}

interface Call {
  body?: unknown
  text?: string
  headers?: Record<string, string>
}

async function world(room?: EventRoom) {
  const clock = new TestClock()
  const limits = limitsWith()
  const store = await openMemoryStore({ limits, clock, room })
  const server = await startTestServer({ store, limits, clock, adminKey })
  onTestFinished(() => server.close())
  async function call(method: string, path: string, { body, text, headers }: Call = {}): Promise<Answer> {
    const payload = text ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await fetch(server.url + path, {
      method,
      headers: {
        authorization: `Bearer ${adminKey}`,
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(payload === undefined ? {} : { body: payload }),
    })
    const answer = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json')
    return { status: response.status, body: isJson ? JSON.parse(answer) : answer }
  }
  return { store, server, clock, call }
}

function failure(status: number, code: string): unknown {
  return { status, body: { error: { code, message: expect.stringMatching(/\w/) } } }
}

describe('users', () => {
  test('a user is created with 201, changed with 200, read with 200, and erased with 204, once', async () => {
    const { call } = await world()
    const alice = { id: 'alice', registered: true, restricted: false, announceJoin: true }
    expect(await call('GET', '/v1/users/alice')).toEqual(failure(404, 'unknown-user'))
    expect(await call('PUT', '/v1/users/alice')).toEqual({ status: 201, body: alice })
    expect(await call('PUT', '/v1/users/alice', { body: {} })).toEqual({ status: 200, body: alice })
    const changed = { ...alice, restricted: true, announceJoin: false }
    const change = { restricted: true, announceJoin: false }
    expect(await call('PUT', '/v1/users/alice', { body: change })).toEqual({ status: 200, body: changed })
    expect(await call('PUT', '/v1/users/alice', { body: { restricted: true } })).toEqual({ status: 200, body: changed })
    expect(await call('GET', '/v1/users/alice')).toEqual({ status: 200, body: changed })
    expect(await call('DELETE', '/v1/users/alice')).toEqual({ status: 204, body: '' })
    expect(await call('DELETE', '/v1/users/alice')).toEqual(failure(404, 'unknown-user'))
    expect(await call('GET', '/v1/users/alice')).toEqual(failure(404, 'unknown-user'))
    expect(await call('PUT', '/v1/users/alice')).toEqual({ status: 201, body: changed })
  })

  test.each([
    '+441632960001',
    'ada@example.org',
    'a/b',
    'a%2Fb',
    'ž ☃ 𝒳',
    '?x=1&y#z',
    '__proto__',
    'é'.repeat(64),
    '%',
  ])('the id %j travels percent-encoded', async id => {
    const { call, store } = await world()
    const path = `/v1/users/${encodeURIComponent(id)}`
    expect(await call('PUT', path)).toMatchObject({ status: 201, body: { id } })
    expect(await call('GET', path)).toMatchObject({ status: 200, body: { id } })
    expect((await store.user(id)).registeredAt).toBe(1)
    expect((await call('PUT', `/v1/pairs/${encodeURIComponent(id)}/bob`)).status).toBe(204)
    expect((await call('GET', '/v1/users/bob/pairs')).body).toEqual({ pairs: [id] })
  })

  test.each(['%20alice', 'alice%0A', 'e%CC%81', 'x'.repeat(129), '%C3%A9'.repeat(65), '%00', '%zz', '%ff', '%'])(
    'the user id %s is malformed',
    async id => {
      const { call, store } = await world()
      for (const [method, path] of [
        ['PUT', `/v1/users/${id}`],
        ['GET', `/v1/users/${id}`],
        ['DELETE', `/v1/users/${id}`],
        ['POST', `/v1/users/${id}/tokens`],
        ['POST', `/v1/users/${id}/sessions/revoke`],
        ['PUT', `/v1/pairs/alice/${id}`],
        ['GET', `/v1/users/${id}/pairs`],
        ['GET', `/v1/visibility?owner=alice&viewer=${id}`],
        ['GET', `/v1/communication?from=${id}&to=alice`],
      ] as const) {
        expect([path, await call(method, path)]).toEqual([path, failure(400, 'malformed')])
      }
      expect(store.position).toBe(0)
    },
  )

  test.each<[string, Call]>([
    ['no JSON', { text: '{"restricted":' }],
    ['a list', { body: [] }],
    ['a text', { body: 'restricted' }],
    ['a number', { body: 1 }],
    ['a text for a flag', { body: { restricted: 'yes' } }],
    ['null for a flag', { body: { announceJoin: null } }],
    ['an unknown member', { body: { restrict: true } }],
    ['a hostile member', { text: '{"__proto__":{"restricted":true}}' }],
    [
      'another content type',
      { text: 'restricted=true', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    ],
    ['plain text', { text: 'restricted', headers: { 'content-type': 'text/plain' } }],
  ])('a request body that is %s is malformed, and changes nothing', async (_, body) => {
    const { call, store } = await world()
    expect(await call('PUT', '/v1/users/alice', body)).toEqual(failure(400, 'malformed'))
    expect(store.position).toBe(0)
  })

  test('an answer to a body of another content type says which one to send', async () => {
    const { call } = await world()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const { body } = await call('PUT', '/v1/users/alice', { text: '{"restricted":true}', headers })
    expect(body).toMatchObject({ error: { message: expect.stringMatching(/application\/json/) } })
  })

  test('a request body may be missing although its type is announced, and may not be huge', async () => {
    const { call } = await world()
    expect((await call('PUT', '/v1/users/alice', { text: '' })).status).toBe(201)
    expect((await call('DELETE', '/v1/users/alice', { text: '' })).status).toBe(204)
    expect((await call('PUT', '/v1/users/alice', { text: `{"x":"${'x'.repeat(70_000)}"}` })).status).toBe(413)
  })
})

describe('the admin key', () => {
  test.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer wrong',
    `bearer ${adminKey}`,
    `Basic ${adminKey}`,
    adminKey,
    `Bearer ${adminKey}x`,
  ])('the authorization header %j gives no access', async authorization => {
    const { server, store } = await world()
    for (const [method, path] of [
      ['PUT', '/v1/users/alice'],
      ['GET', '/v1/users/alice'],
      ['DELETE', '/v1/users/alice'],
      ['POST', '/v1/users/alice/tokens'],
      ['POST', '/v1/users/alice/sessions/revoke'],
      ['PUT', '/v1/pairs/a/b'],
      ['DELETE', '/v1/pairs/a/b'],
      ['GET', '/v1/users/alice/pairs'],
      ['GET', '/v1/communication?from=a&to=b'],
      ['GET', '/v1/visibility?owner=a&viewer=b'],
    ] as const) {
      const response = await fetch(server.url + path, {
        method,
        ...(authorization === undefined ? {} : { headers: { authorization } }),
      })
      expect([path, response.status, await response.json()]).toEqual([
        path,
        401,
        { error: { code: 'unauthorised', message: expect.any(String) } },
      ])
    }
    expect(store.position).toBe(0)
  })

  test('health and metrics need no admin key, and unknown paths are not found', async () => {
    const { server, call } = await world()
    for (const path of ['/healthz', '/readyz', '/metrics']) expect((await fetch(server.url + path)).status).toBe(200)
    expect((await call('GET', '/readyz')).body).toEqual({ status: 'ready' })
    await call('PUT', '/v1/users/alice')
    expect((await call('GET', '/metrics')).body).toMatch(/^kith_commits_total 1$/m)
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/v1/pairs'],
      ['PATCH', '/v1/users/alice'],
      ['PUT', '/v1/users/alice/bob'],
    ] as const) {
      expect(await call(method, path)).toEqual(failure(404, 'not-found'))
    }
  })
})

describe('tokens', () => {
  const payload = (token: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString())

  test('a token names its user and lives for a day, or as long as was asked', async () => {
    const { call, clock } = await world()
    const day = (await call('POST', '/v1/users/a%2Fb/tokens')).body as { token: string }
    expect(Object.keys(day)).toEqual(['token'])
    expect(payload(day.token)).toMatchObject({ sub: 'a/b', exp: clock.now() / 1000 + 86_400 })
    const { body } = await call('POST', '/v1/users/alice/tokens', { body: { expiresInSeconds: 60 } })
    expect(payload((body as { token: string }).token)['exp']).toBe(clock.now() / 1000 + 60)
  })

  test.each([0, -1, 1.5, '60', null, 1e12, true])('a lifetime of %j is malformed', async expiresInSeconds => {
    const { call } = await world()
    expect(await call('POST', '/v1/users/alice/tokens', { body: { expiresInSeconds } })).toEqual(
      failure(400, 'malformed'),
    )
  })

  test('revoking tokens returns 204 for any user', async () => {
    const { call, store, clock } = await world()
    expect(await call('POST', '/v1/users/alice/sessions/revoke')).toEqual({ status: 204, body: '' })
    expect((await store.revocation('alice')).atMs).toBe(clock.now())
    expect(await call('POST', '/v1/users/alice/sessions/revoke', { body: { all: true } })).toEqual(
      failure(400, 'malformed'),
    )
  })
})

describe('pairs', () => {
  test('pairs are symmetric, may be added and removed twice, and need two users', async () => {
    const { call } = await world()
    for (const method of ['PUT', 'PUT'] as const) expect((await call(method, '/v1/pairs/alice/bob')).status).toBe(204)
    await call('PUT', '/v1/pairs/carol/alice')
    expect(await call('GET', '/v1/users/alice/pairs')).toEqual({ status: 200, body: { pairs: ['bob', 'carol'] } })
    expect(await call('GET', '/v1/users/bob/pairs')).toEqual({ status: 200, body: { pairs: ['alice'] } })
    for (const path of ['/v1/pairs/bob/alice', '/v1/pairs/bob/alice']) {
      expect(await call('DELETE', path)).toEqual({ status: 204, body: '' })
    }
    expect((await call('GET', '/v1/users/bob/pairs')).body).toEqual({ pairs: [] })
    expect(await call('PUT', '/v1/pairs/alice/alice')).toEqual(failure(400, 'malformed'))
  })
})

describe('why someone sees something, and may communicate', () => {
  test('[V1][V2][V3] each reason, with the levels ascending', async () => {
    const { call, store } = await world()
    const visibility = async (): Promise<unknown> => (await call('GET', '/v1/visibility?owner=alice&viewer=bob')).body
    const communication = async (): Promise<unknown> => (await call('GET', '/v1/communication?from=bob&to=alice')).body
    const both = async (levels: number[], reason: string, allowed: boolean): Promise<void> => {
      expect(await visibility()).toEqual({ levels, reason })
      const because = reason === 'visible' || reason === 'not-granted' ? 'allowed' : reason
      expect(await communication()).toEqual({ allowed, reason: because })
    }
    await both([], 'unknown-user', false)
    await call('PUT', '/v1/users/alice')
    await both([], 'unknown-user', false)
    await call('PUT', '/v1/users/bob')
    await both([0], 'visible', true)
    await store.commit(rosterChange('alice', { bob: { levels: [3, 200] } }, { audience: 'nobody' }))
    await both([0, 3, 200], 'visible', true)
    await store.commit(rosterChange('alice', { bob: {} }, { audience: 'nobody' }))
    await both([], 'not-granted', true)
    await store.commit(rosterChange('alice', {}, { audience: 'everyone' }))
    await call('PUT', '/v1/users/bob', { body: { restricted: true } })
    await both([], 'restricted', false)
    await call('PUT', '/v1/pairs/alice/bob')
    await both([0], 'visible', true)
    await store.commit(rosterChange('bob', { alice: { isBlocked: true } }))
    await both([], 'blocked', false)
    await store.commit(rosterChange('bob', { alice: {} }))
    await store.commit(rosterChange('alice', { bob: { isBlocked: true, levels: [1] } }))
    await both([], 'blocked', false)
    await call('DELETE', '/v1/users/alice')
    await both([], 'unknown-user', false)
  })

  test('[V3] the owner sees all levels and 0, and may send messages to the own devices', async () => {
    const { call, store } = await world()
    const self = '/v1/visibility?owner=alice&viewer=alice'
    expect((await call('GET', self)).body).toEqual({ levels: [], reason: 'unknown-user' })
    await store.commit(profileChange('alice', { 7: 'Ada', 100: 'A', 3: undefined }))
    expect((await call('GET', self)).body).toEqual({ levels: [0, 7, 100], reason: 'self' })
    expect((await call('GET', '/v1/communication?from=alice&to=alice')).body).toEqual({ allowed: true, reason: 'self' })
  })

  test.each([
    '',
    '?owner=alice',
    '?viewer=bob',
    '?owner=alice&viewer=',
    '?owner=alice&owner=bob&viewer=bob',
    '?owner=+44&viewer=bob',
  ])('the query %j is malformed', async query => {
    const { call } = await world()
    expect(await call('GET', `/v1/visibility${query}`)).toEqual(failure(400, 'malformed'))
    const other = query.replaceAll('owner', 'to').replaceAll('viewer', 'from')
    expect(await call('GET', `/v1/communication${other}`)).toEqual(failure(400, 'malformed'))
  })
})

test('the API returns 503 while the disk fails, and works again later', async () => {
  const { call, store } = await world()
  const { commit } = store
  store.commit = () => Promise.reject(new Error('a path on this machine: the disk is full'))
  const answer = await call('PUT', '/v1/users/alice')
  expect(answer).toEqual(failure(503, 'unavailable'))
  expect(JSON.stringify(answer)).not.toMatch(/disk/)
  store.commit = commit
  expect((await call('PUT', '/v1/users/alice')).status).toBe(201)
})

describe('dead letters', () => {
  test('dead letters are listed page by page, sent again with their ids, and dropped', async () => {
    const { call, store, clock } = await world(new EventRoom({ mostEvents: 100, includesText: false }))
    for (const user of ['ada', 'bob', 'eve']) await store.commit({ type: 'user', user })
    const madeAt = new Date(clock.now()).toISOString()
    const events = await store.outbox.waiting(undefined, 10)
    clock.move(1_000)
    await store.commit({ type: 'events', dead: events.map(({ name }) => ({ name, reason: 'status 400' })) })
    const first = await call('GET', '/v1/webhooks/dead?limit=2')
    const page = first.body as { events: { id: string }[]; next: string }
    expect(page.events[0]).toEqual({
      id: expect.stringMatching(/^evt_1_0_/),
      type: 'user.registered',
      timestamp: madeAt,
      data: { user: 'ada' },
      failedAt: new Date(clock.now()).toISOString(),
      reason: 'status 400',
    })
    const second = await call('GET', `/v1/webhooks/dead?limit=2&after=${page.next}`)
    expect(second.body).toEqual({ events: [expect.objectContaining({ data: { user: 'eve' } })] })
    const [ada, bob] = page.events.map(({ id }) => `/v1/webhooks/dead/${id}`)
    expect(await call('POST', `${ada}/retry`)).toEqual({ status: 204, body: '' })
    expect(await call('POST', `${ada}/retry`)).toEqual(failure(404, 'unknown-event'))
    expect((await store.outbox.next('ada'))?.event.failed).toBe(undefined)
    expect(await call('DELETE', `${bob}`)).toEqual({ status: 204, body: '' })
    expect(await call('DELETE', `${bob}`)).toEqual(failure(404, 'unknown-event'))
    expect(await store.outbox.count()).toEqual({ all: 2, dead: 1 })
    expect(await call('DELETE', `${ada}x`)).toEqual(failure(404, 'unknown-event'))
    expect(await call('DELETE', '/v1/webhooks/dead/nonsense')).toEqual(failure(400, 'malformed'))
    expect(await call('GET', '/v1/webhooks/dead?limit=1000')).toEqual(failure(400, 'malformed'))
    expect(await call('GET', '/v1/webhooks/dead', { headers: { authorization: '' } })).toEqual(
      failure(401, 'unauthorised'),
    )
  })
})
