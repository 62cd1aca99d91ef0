import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TokenSettings } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Tokens } from '../support/server-internals.ts'

const secret = new TextEncoder().encode('a secret of these tests, long enough')
const unauthorised = { code: 'unauthorised' }

interface World {
  tokens: Tokens
  clock: TestClock
  revoke(): void
  sign(payload: Record<string, unknown>, subject?: string): Promise<string>
}

function world(settings: TokenSettings = { secret }): World {
  const clock = new TestClock(1_700_000_000_123)
  let revokedAt = 0
  return {
    clock,
    tokens: new Tokens(settings, clock, async () => ({ atMs: revokedAt, nowMs: clock.now() })),
    revoke: () => {
      revokedAt = clock.now()
    },
    sign: (payload, subject = 'alice') =>
      new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).setSubject(subject).sign(secret),
  }
}

describe('tokens with a secret', () => {
  test('a token that was issued here names its user until it expires', async () => {
    const { tokens, clock } = world()
    const token = await tokens.issue('alice', 60)
    expect(await tokens.verify(token)).toEqual({ user: 'alice', expiresAtMs: 1_700_000_060_000 })
    clock.leap(59_000)
    await tokens.verify(token)
    clock.leap(10_000)
    await expect(tokens.verify(token)).rejects.toMatchObject(unauthorised)
  })

  test('a token of the app’s issuer may have no expiry; a token with a later nbf is refused', async () => {
    const { tokens, sign } = world()
    expect(await tokens.verify(await sign({}))).toEqual({ user: 'alice', expiresAtMs: undefined })
    await expect(tokens.verify(await sign({ nbf: 1_700_000_100 }))).rejects.toMatchObject(unauthorised)
  })

  test.each(['', ' alice', '..', 'a\u0000b', 'x'.repeat(129)])(
    'a token whose subject is %j names no user',
    async subject => {
      const { tokens, sign } = world()
      await expect(tokens.verify(await sign({}, subject))).rejects.toMatchObject(unauthorised)
    },
  )

  test('audience and issuer count when they are set', async () => {
    const { tokens, sign } = world({ secret, audience: 'kith', issuer: 'https://app' })
    await tokens.verify(await tokens.issue('alice'))
    await tokens.verify(await sign({ aud: ['other', 'kith'], iss: 'https://app' }))
    for (const wrong of [
      {},
      { aud: 'kith' },
      { aud: 'other', iss: 'https://app' },
      { aud: 'kith', iss: 'https://other' },
    ]) {
      await expect(tokens.verify(await sign(wrong))).rejects.toMatchObject(unauthorised)
    }
  })

  test('[S1] only HS256 with the server’s secret is accepted: no other secret or algorithm, and no invalid token', async () => {
    const { tokens, sign } = world()
    const other = new TextEncoder().encode('another secret of these tests')
    const signed = (alg: string, key: Uint8Array): Promise<string> =>
      new SignJWT({}).setProtectedHeader({ alg }).setSubject('alice').sign(key)
    const [header, , signature] = (await sign({})).split('.') as [string, string, string]
    const forged = [header, Buffer.from('{"sub":"eve"}').toString('base64url'), signature].join('.')
    for (const token of [
      await signed('HS256', other),
      await signed('HS512', secret),
      new UnsecuredJWT({}).setSubject('alice').encode(),
      forged,
      '',
      '.',
      '..',
      'x.y.z',
      '\u0000',
      'a'.repeat(10_000),
    ]) {
      await expect(tokens.verify(token)).rejects.toMatchObject(unauthorised)
    }
  })

  test('a revocation ends every token issued before, also in the same second or millisecond, and none issued after', async () => {
    for (let ms = 0; ms < 1000; ms += 37) {
      const { tokens, clock, revoke, sign } = world()
      clock.leap(ms)
      const inSeconds = await sign({ iat: Math.floor(clock.now() / 1000) })
      const before = await tokens.issue('alice')
      revoke()
      await expect(tokens.verify(before)).rejects.toMatchObject(unauthorised)
      await expect(tokens.verify(inSeconds)).rejects.toMatchObject(unauthorised)
      await expect(tokens.verify(await sign({}))).rejects.toMatchObject(unauthorised)
      clock.leap(1)
      expect((await tokens.verify(await tokens.issue('alice'))).user).toBe('alice')
      await expect(tokens.verify(before)).rejects.toMatchObject(unauthorised)
    }
  })

  test('a revocation ends tokens with an iat in the future, such as one in ms', async () => {
    const { tokens, clock, revoke, sign } = world()
    const inMs = await sign({ iat: clock.now() })
    expect((await tokens.verify(inMs)).user).toBe('alice')
    revoke()
    clock.leap(60_000)
    await expect(tokens.verify(inMs)).rejects.toMatchObject(unauthorised)
    const aLittleAhead = await sign({ iat: clock.now() / 1000 + 4 })
    expect((await tokens.verify(aLittleAhead)).user).toBe('alice')
    const asFarAheadAsClocksDiffer = await sign({ iat: clock.now() / 1000 + 5 })
    expect((await tokens.verify(asFarAheadAsClocksDiffer)).user).toBe('alice')
    const further = await sign({ iat: clock.now() / 1000 + 5.001 })
    await expect(tokens.verify(further)).rejects.toMatchObject(unauthorised)
  })

  test('a token ends in the millisecond in which it expires, without a tolerance', async () => {
    const { tokens, clock } = world()
    const token = await tokens.issue('alice', 60)
    clock.leap(1_700_000_060_000 - clock.now() - 1)
    await tokens.verify(token)
    clock.leap(1)
    await expect(tokens.verify(token)).rejects.toMatchObject(unauthorised)
  })

  test('a token that becomes valid in up to 5 seconds is accepted', async () => {
    const { tokens, sign } = world()
    await tokens.verify(await sign({ nbf: 1_700_000_005 }))
    await expect(tokens.verify(await sign({ nbf: 1_700_000_006 }))).rejects.toMatchObject(unauthorised)
  })

  test('without a secret or a key set there are no tokens', () => {
    expect(() => new Tokens({}, new TestClock(), async () => ({ atMs: 0, nowMs: 0 }))).toThrow(TypeError)
  })
})

describe('tokens of the app’s own issuer', () => {
  async function issuer(
    answer: (keys: object) => { status: number; body: string },
  ): Promise<{ url: URL; keys: object }> {
    const keys: { keys: object[] } = { keys: [] }
    const server: Server = createServer((_, response) => {
      const { status, body } = answer(keys)
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`), keys }
  }

  test('a key of the set is accepted; another key, and the public key used as a secret, are not', async () => {
    const good = await generateKeyPair('ES256')
    const bad = await generateKeyPair('ES256')
    const jwk = { ...(await exportJWK(good.publicKey)), kid: 'one', alg: 'ES256' }
    const { url } = await issuer(() => ({ status: 200, body: JSON.stringify({ keys: [jwk] }) }))
    const { tokens } = world({ jwksUrl: url })
    const sign = (key: CryptoKey, alg = 'ES256'): Promise<string> =>
      new SignJWT({}).setProtectedHeader({ alg, kid: 'one' }).setSubject('alice').sign(key)
    expect((await tokens.verify(await sign(good.privateKey))).user).toBe('alice')
    await expect(tokens.verify(await sign(bad.privateKey))).rejects.toMatchObject(unauthorised)
    const asSecret = new SignJWT({}).setProtectedHeader({ alg: 'HS256', kid: 'one' }).setSubject('alice')
    const confused = await asSecret.sign(new TextEncoder().encode(JSON.stringify(jwk)))
    await expect(tokens.verify(confused)).rejects.toMatchObject(unauthorised)
    await expect(tokens.verify(new UnsecuredJWT({}).setSubject('alice').encode())).rejects.toMatchObject(unauthorised)
    await expect(tokens.issue('alice')).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('while the issuer’s keys cannot be fetched, a token is not refused as wrong: devices come back', async () => {
    const { privateKey } = await generateKeyPair('ES256')
    const token = await new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).setSubject('alice').sign(privateKey)
    for (const answer of [
      { status: 500, body: 'no' },
      { status: 200, body: 'no JSON' },
      { status: 200, body: '{"keys":7}' },
    ]) {
      const { url } = await issuer(() => answer)
      await expect(world({ jwksUrl: url }).tokens.verify(token)).rejects.toMatchObject({ code: 'unavailable' })
    }
    const { tokens } = world({ jwksUrl: new URL('http://127.0.0.1:9/jwks.json') })
    await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'unavailable' })
  })
})
