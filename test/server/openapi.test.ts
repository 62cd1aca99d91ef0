import { EventRoom, openMemoryStore } from '@kith/server'
import { startTestServer, TestClock } from '@kith/server/testing'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, onTestFinished, test } from 'vitest'
import { limitsWith } from '../support/stores.ts'

interface Operation {
  requestBody?: object
  parameters?: { name: string; in: string; required?: boolean }[]
  responses: Record<string, { content?: Record<string, { schema: object }> }>
}

interface Document {
  openapi: string
  paths: Record<string, Record<string, Operation>>
}

async function server() {
  const clock = new TestClock()
  const limits = limitsWith()
  const room = new EventRoom({ mostEvents: 100, includesText: false })
  const store = await openMemoryStore({ limits, clock, room })
  const made = await startTestServer({ store, limits, clock })
  onTestFinished(() => made.close())
  return { ...made, store }
}

async function documentOf(url: string): Promise<Document> {
  const response = await fetch(`${url}/v1/openapi.json`)
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
  return (await response.json()) as Document
}

test('the OpenAPI document is valid, and needs no key', async () => {
  const { url } = await server()
  const document = await documentOf(url)
  expect(document.openapi).toBe('3.1.0')
  const { valid, errors } = await new Validator().validate({ ...structuredClone(document) })
  expect(errors).toBe(undefined)
  expect(valid).toBe(true)
})

/** A request of each kind, including failing ones: path, body. */
const requests: readonly [method: string, template: string, path: string, body?: unknown][] = [
  ['PUT', '/v1/users/{id}', '/v1/users/alice', { restricted: false }],
  ['PUT', '/v1/users/{id}', '/v1/users/alice'],
  ['PUT', '/v1/users/{id}', '/v1/users/bob'],
  ['PUT', '/v1/users/{id}', '/v1/users/bob', { restricted: 'yes' }],
  ['GET', '/v1/users', '/v1/users?limit=1'],
  ['GET', '/v1/users', '/v1/users?limit=0'],
  ['GET', '/v1/users/{id}', '/v1/users/alice'],
  ['GET', '/v1/users/{id}', '/v1/users/nobody'],
  ['POST', '/v1/users/{id}/tokens', '/v1/users/alice/tokens', { expiresInSeconds: 60 }],
  ['POST', '/v1/users/{id}/tokens', '/v1/users/alice/tokens', { expiresInSeconds: -1 }],
  ['POST', '/v1/users/{id}/sessions/revoke', '/v1/users/alice/sessions/revoke'],
  ['POST', '/v1/users/{id}/sessions/revoke', '/v1/users/alice/sessions/revoke', { now: true }],
  [
    'PATCH',
    '/v1/users/{id}/profile',
    '/v1/users/alice/profile',
    { levels: { 0: { name: 'Ada', key: { base64: 'AQI=' } } } },
  ],
  ['PATCH', '/v1/users/{id}/profile', '/v1/users/nobody/profile', { levels: {} }],
  ['PATCH', '/v1/users/{id}/profile', '/v1/users/alice/profile', { levels: { 0: { name: [] } } }],
  ['GET', '/v1/users/{id}/profile', '/v1/users/alice/profile'],
  ['GET', '/v1/users/{id}/profile', '/v1/users/nobody/profile'],
  ['PUT', '/v1/users/{id}/message-policy', '/v1/users/alice/message-policy', { audience: 'contacts' }],
  ['PUT', '/v1/users/{id}/message-policy', '/v1/users/alice/message-policy', { audience: 'friends' }],
  ['PUT', '/v1/users/{id}/message-policy', '/v1/users/nobody/message-policy', { audience: 'contacts' }],
  ['GET', '/v1/users/{id}/message-policy', '/v1/users/alice/message-policy'],
  ['GET', '/v1/users/{id}/message-policy', '/v1/users/nobody/message-policy'],
  ['GET', '/v1/users/{id}/roster', '/v1/users/alice/roster?limit=10'],
  ['GET', '/v1/users/{id}/roster', '/v1/users/nobody/roster'],
  ['GET', '/v1/users/{id}/export', '/v1/users/alice/export'],
  ['GET', '/v1/users/{id}/export', '/v1/users/nobody/export'],
  ['PUT', '/v1/pairs/{a}/{b}', '/v1/pairs/alice/bob'],
  ['PUT', '/v1/pairs/{a}/{b}', '/v1/pairs/alice/alice'],
  ['GET', '/v1/users/{id}/pairs', '/v1/users/alice/pairs'],
  ['GET', '/v1/users/{id}/pairs', '/v1/users/%20/pairs'],
  ['DELETE', '/v1/pairs/{a}/{b}', '/v1/pairs/alice/bob'],
  ['DELETE', '/v1/pairs/{a}/{b}', '/v1/pairs/%20/bob'],
  ['GET', '/v1/communication', '/v1/communication?from=alice&to=bob'],
  ['GET', '/v1/communication', '/v1/communication?from=alice'],
  ['GET', '/v1/visibility', '/v1/visibility?owner=alice&viewer=bob'],
  ['GET', '/v1/visibility', '/v1/visibility?owner=alice'],
  ['GET', '/v1/webhooks/dead', '/v1/webhooks/dead?limit=1'],
  ['GET', '/v1/webhooks/dead', '/v1/webhooks/dead?limit=-1'],
  ['POST', '/v1/webhooks/dead/{id}/retry', '/v1/webhooks/dead/FIRST/retry'],
  ['POST', '/v1/webhooks/dead/{id}/retry', '/v1/webhooks/dead/FIRST/retry'],
  ['DELETE', '/v1/webhooks/dead/{id}', '/v1/webhooks/dead/SECOND'],
  ['DELETE', '/v1/webhooks/dead/{id}', '/v1/webhooks/dead/SECOND'],
  ['DELETE', '/v1/users/{id}', '/v1/users/bob'],
  ['DELETE', '/v1/users/{id}', '/v1/users/bob'],
]

test('each answer of each request is one that the OpenAPI document describes, and each operation of it was requested', async () => {
  const { url, admin, store } = await server()
  const { paths } = await documentOf(url)
  const ajv = new Ajv2020({ strict: false })
  const succeeded = new Set<string>()
  const failed = new Set<string>()
  const dead: string[] = []
  for (const [method, template, path, body] of requests) {
    if (template.includes('webhooks') && dead.length === 0) {
      const waiting = await store.outbox.waiting(undefined, 2)
      await store.commit({ type: 'events', dead: waiting.map(({ name }) => ({ name, reason: 'status 400' })) })
      const { body: list } = await admin('GET', '/v1/webhooks/dead')
      dead.push(...(list as { events: { id: string }[] }).events.map(({ id }) => id))
    }
    const real = path.replace('FIRST', dead[0] ?? '').replace('SECOND', dead[1] ?? '')
    const answer = await admin(method, real, body)
    const where = `${method} ${real}: ${answer.status}`
    const operation = paths[template]?.[method.toLowerCase()]
    const response = operation?.responses[String(answer.status)]
    expect(response, where).toBeDefined()
    if (answer.status !== 204) {
      const schema = response?.content?.['application/json']?.schema
      expect(schema, where).toBeDefined()
      const isValid = ajv.validate(schema as object, answer.body)
      expect(isValid, `${where}: ${ajv.errorsText()} in ${JSON.stringify(answer.body)}`).toBe(true)
    }
    ;(answer.status < 300 ? succeeded : failed).add(`${method} ${template}`)
  }
  const all = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map(method => `${method.toUpperCase()} ${path}`),
  )
  expect([...succeeded].sort()).toEqual(all.sort())
  expect([...failed].sort()).toEqual(all.sort())
})

test('the answer to a body that is too large is one that the OpenAPI document describes', async () => {
  const { url, admin } = await server()
  let count = 0
  for (const [path, operations] of Object.entries((await documentOf(url)).paths)) {
    for (const [method, { requestBody, responses }] of Object.entries(operations)) {
      if (!requestBody) continue
      count++
      const body = { text: 'x'.repeat(100 * 1024) }
      const { status } = await admin(method.toUpperCase(), path.replaceAll(/\{\w+\}/g, 'x'), body)
      const where = `${method} ${path}`
      expect(status, where).toBe(413)
      expect(Object.keys(responses), where).toContain('413')
    }
  }
  expect(count).toBeGreaterThan(3)
})

test('each operation of the OpenAPI document needs the admin key, and says so', async () => {
  const { url } = await server()
  for (const [path, operations] of Object.entries((await documentOf(url)).paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const { status } = await fetch(url + path.replaceAll(/\{\w+\}/g, 'x'), { method: method.toUpperCase() })
      expect(status, `${method} ${path}`).toBe(401)
      expect(operation, `${method} ${path}`).toMatchObject({
        security: [{ adminKey: [] }],
        summary: expect.any(String),
      })
    }
  }
})

test('the protocol document and the OpenAPI document have the same requests', async () => {
  const { url } = await server()
  const { readFile } = await import('node:fs/promises')
  const text = await readFile(new URL('../../docs/PROTOCOL.md', import.meta.url), 'utf8')
  const written = [...text.matchAll(/^\| `(GET|PUT|POST|PATCH|DELETE) (\/v1\/[^`?]+)/gm)].map(
    ([, method, path = '']) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`,
  )
  const all = Object.entries((await documentOf(url)).paths).flatMap(([path, operations]) =>
    Object.keys(operations).map(method => `${method.toUpperCase()} ${path}`),
  )
  expect([...new Set(written)].sort()).toEqual(all.sort())
})
