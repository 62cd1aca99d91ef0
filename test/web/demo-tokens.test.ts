import { request as send } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { type DemoProcess, startDemoProcess } from '../../bench/src/demo-process.ts'

async function demo(): Promise<DemoProcess> {
  const server = await startDemoProcess()
  onTestFinished(() => server.stop())
  return server
}

/** Requests a token with these headers. `fetch` would not send a custom `Host`. */
function ask(
  url: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = send(`${url}/demo/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
    })
    request.on('error', reject)
    request.on('response', async response => {
      let text = ''
      for await (const chunk of response) text += chunk
      resolve({ status: response.statusCode ?? 0, text })
    })
    request.end(body)
  })
}

const alice = JSON.stringify({ user: 'alice' })

test('a page of this server gets a demo token for any user, which signs in as that user', async () => {
  const { url } = await demo()
  const answer = await ask(url, alice, { origin: url })
  expect(answer.status).toBe(200)
  const { token } = JSON.parse(answer.text) as { token: string }
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sub: string }
  expect(claims.sub).toBe('alice')
})

test('requests with a foreign Host or Origin, or through a proxy, get no demo token', async () => {
  const { url } = await demo()
  const port = new URL(url).port
  const refused: Record<string, string>[] = [
    { host: `rebound.example:${port}` },
    { host: `127.0.0.1.rebound.example:${port}` },
    { host: `rebound.example:${port}`, origin: `http://rebound.example:${port}` },
    { origin: 'https://elsewhere.example' },
    { origin: 'null' },
    { origin: `https://127.0.0.1:${port}` },
    { origin: `http://127.0.0.1:${Number(port) + 1}` },
    { 'x-forwarded-for': '127.0.0.1' },
    { forwarded: 'for=127.0.0.1' },
    { 'x-forwarded-host': 'demo.example' },
    { 'x-forwarded-proto': 'https' },
    { 'x-real-ip': '192.0.2.1' },
    { 'cf-connecting-ip': '192.0.2.1' },
    { via: '1.1 proxy' },
  ]
  for (const headers of refused) {
    const { status, text } = await ask(url, alice, headers)
    expect({ headers, status, code: JSON.parse(text).error.code }).toEqual({ headers, status: 403, code: 'forbidden' })
  }
})

test('a request without a valid user id gets no demo token', async () => {
  const { url } = await demo()
  const wrong = ['', ' alice', '..', 'a'.repeat(129), 'a\u0000b', 7, null, undefined]
  for (const user of wrong) {
    const { status, text } = await ask(url, JSON.stringify({ user }))
    expect({ user, status, code: JSON.parse(text).error.code }).toEqual({ user, status: 400, code: 'malformed' })
  }
  for (const body of ['null', '[]', '"alice"', '{', '{}']) {
    const { status, text } = await ask(url, body)
    expect({ body, status, code: JSON.parse(text).error.code }).toEqual({ body, status: 400, code: 'malformed' })
  }
})

test('the page lets in no script, picture or connection from elsewhere, and no frame around it', async () => {
  const { url } = await demo()
  const { headers } = await fetch(url)
  expect(headers.get('content-security-policy')).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; " +
      "connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  )
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('referrer-policy')).toBe('no-referrer')
  expect(headers.get('cache-control')).toBe('no-cache')
})

test('a server that listens elsewhere than on loopback has the page, and no demo tokens', async () => {
  const server = await startDemoProcess({
    host: '0.0.0.0',
    env: {
      KITH_TOKEN_SECRET: 'of tokens, at least thirty-two bytes',
      KITH_ADMIN_KEY: 'of the backend, at least thirty-two bytes',
    },
  })
  onTestFinished(() => server.stop())
  const url = server.url.replace('0.0.0.0', '127.0.0.1')
  expect((await fetch(url)).status).toBe(200)
  expect((await ask(url, alice)).status).toBe(404)
})

test('a server with given secrets, or behind a proxy that it knows, has no demo tokens either: it serves others', async () => {
  const secrets = {
    KITH_TOKEN_SECRET: 'of tokens, at least thirty-two bytes',
    KITH_ADMIN_KEY: 'of the backend, at least thirty-two bytes',
  }
  for (const env of [secrets, { KITH_TRUSTED_PROXIES: '127.0.0.1' }]) {
    const server = await startDemoProcess({ env })
    onTestFinished(() => server.stop())
    expect((await fetch(server.url)).status).toBe(200)
    expect((await ask(server.url, alice)).status).toBe(404)
  }
})

test('beside the page the API is what it is without: JSON, and 404 for what there is none of', async () => {
  const adminKey = 'of the backend, at least thirty-two bytes'
  const server = await startDemoProcess({ env: { KITH_ADMIN_KEY: adminKey } })
  onTestFinished(() => server.stop())
  const status = async (path: string, headers: Record<string, string> = {}): Promise<string> => {
    const response = await fetch(server.url + path, { headers })
    const { error } = (await response.json()) as { error?: { code: string } }
    return `${response.status} ${error?.code}`
  }
  const authorization = { authorization: `Bearer ${adminKey}` }
  expect(await status('/v1/users/alice')).toBe('401 unauthorised')
  expect(await status('/v1/users/alice', authorization)).toBe('404 unknown-user')
  expect(await status('/v1/nothing', authorization)).toBe('404 not-found')
  for (const path of ['/nothing', '/demo/tokens', '/assets/..%2f..%2fserver%2fmain.js', '/%2e%2e/server/main.js']) {
    expect({ path, status: await status(path) }).toEqual({ path, status: '404 not-found' })
  }
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
})
