import { once } from 'node:events'
import { createServer, type VerifyToken } from '@kith/server'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { engineWorld, rest } from '../support/engine-world.ts'
import { loggerInto } from '../support/server-world.ts'
import { temporaryFolder } from '../support/stores.ts'
import { until } from '../support/webhook-receiver.ts'

/** An app's function that never answers. */
const hanging: VerifyToken = () => new Promise(() => undefined)

/** Signs in with a token that the app never checks. Such a sign-in begins at once. */
const options = { token: 'x' }

test('[S3] a sign-in whose token the app does not check within 10 seconds ends with 4500', async () => {
  const { engine, clock, signIn, errors } = await engineWorld({}, undefined, hanging)
  const line = signIn('alice', options)
  await rest()
  clock.move(10_000)
  expect((await line).code).toBe(4500)
  expect([engine.signIns.sessions.size, errors.length]).toEqual([0, 1])
})

test('[S3] a sign-in whose revocation cannot be read within 10 seconds ends with 4500', async () => {
  const { engine, clock, hold, signIn, errors } = await engineWorld()
  const held = hold('revocation')
  const line = signIn('alice')
  await held
  clock.move(10_000)
  expect((await line).code).toBe(4500)
  expect([engine.signIns.sessions.size, errors.length]).toEqual([0, 1])
})

test('[S3] sign-ins that are being checked count for their address, until they end', async () => {
  const { clock, signIn } = await engineWorld({ connectionsPerAddress: 3 }, undefined, hanging)
  const lines = ['a', 'b', 'c'].map(user => signIn(user, options))
  expect((await signIn('d', options)).code).toBe(4529)
  lines.push(signIn('d', { ...options, address: '127.0.0.2' }))
  await rest()
  clock.move(10_000)
  expect((await Promise.all(lines)).map(({ code }) => code)).toEqual([4500, 4500, 4500, 4500])
  const again = signIn('d', options)
  await rest()
  clock.move(10_000)
  expect((await again).code).toBe(4500)
})

test('[S3] a server that stops ends the sign-ins that are being checked with 1001, and waits for none', async () => {
  let checks = 0
  const verifyToken: VerifyToken = token => {
    checks++
    return hanging(token)
  }
  const kith = await createServer({ folder: await temporaryFolder(), log: loggerInto([]), verifyToken })
  const url = await kith.listen({ port: 0 })
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/roster/ada`, ['kith.v1', 'bearer.x'])
  const closed = once(socket, 'close')
  await until(() => checks === 1, 'the check')
  await kith.close()
  expect((await closed)[0]).toBe(1001)
})

test('a failure to check a token is logged once a minute, without the token, and a token that is not valid is not', async () => {
  let failure: unknown
  const { clock, signIn, errors } = await engineWorld({}, undefined, async () => {
    if (failure !== undefined) throw failure
    return undefined
  })
  const token = 'the-secret-token'
  expect((await signIn('alice', { token })).code).toBe(4401)
  expect(errors).toEqual([])
  failure = new TypeError(`cannot read properties of ${token}`, { cause: `session ${token} is missing` })
  for (let attempt = 0; attempt < 5; attempt++) expect((await signIn('alice', { token })).code).toBe(4500)
  expect(errors).toEqual([{ failures: 1, reason: expect.stringContaining('cannot read properties of <token>') }])
  clock.move(60_000)
  await signIn('alice', { token })
  expect(errors.slice(1)).toEqual([{ failures: 5, reason: expect.stringContaining('session <token> is missing') }])
  expect(JSON.stringify(errors)).not.toContain(token)
})

test('[S3] a renewal whose token is not checked within 10 seconds leaves the session as it is, whatever is answered later', async () => {
  let answerLate: (() => void) | undefined
  let isLate = false
  const late: VerifyToken = () =>
    new Promise(resolve => {
      answerLate = () => resolve(undefined)
    })
  const { clock, signIn, engine } = await engineWorld({}, undefined, token =>
    isLate ? late(token) : { user: 'alice' },
  )
  const line = await signIn('alice', options)
  await rest()
  isLate = true
  line.send({ type: 'renew', token: 'another' })
  line.send({ type: 'barrier', id: 1, withFeed: false })
  await rest()
  clock.move(10_000)
  await rest()
  answerLate?.()
  await rest()
  expect([line.code, engine.signIns.sessions.size]).toEqual([undefined, 1])
  expect(line.frames.filter(({ type }) => type === 'reached')).toHaveLength(1)
})
