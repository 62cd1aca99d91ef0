import { readFile } from 'node:fs/promises'
import { createTestDevices } from '@kith/client/testing'
import { openMemoryStore, type Store } from '@kith/server'
import { startTestServer, storeContract, TestClock, type TestRunner } from '@kith/server/testing'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'

const platform = { IDBFactory, IDBKeyRange, WebSocket }

test('the testing example in the README of the client logs what it says', async () => {
  const readme = await readFile(new URL('../../packages/client/README.md', import.meta.url), 'utf8')
  const [, code = ''] = /```ts\n([^`]*createTestDevices[^`]*)```/.exec(readme) ?? []
  const names = { createTestDevices, startTestServer, ...platform }
  const logged: unknown[] = []
  const console = { log: (value: unknown) => logged.push(value) }
  const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor
  const run = new AsyncFunction(...Object.keys(names), 'console', code.replace(/^import .*$/gm, ''))
  await run(...Object.values(names), console)
  expect(logged).toEqual([{ name: 'Ada' }])
})

test('a pair of test devices exchanges profiles by a test server, and settles', async () => {
  const server = await startTestServer()
  const devices = createTestDevices({ server, ...platform })
  onTestFinished(async () => {
    await devices.close()
    await server.close()
  })
  const [alice, bob] = await devices.openPair('alice', 'bob')
  await alice.ownProfile.set('name', 'Ada')
  const profile = bob.getProfile('alice')
  await devices.settle(bob, alice)
  expect(profile.fields).toEqual({ name: 'Ada' })
})

test('a test device keeps its storage when its client is closed', async () => {
  const devices = createTestDevices(platform)
  const phone = devices.install('alice')
  const before = await phone.open()
  await before.ownProfile.set('name', 'Ada')
  await expect(phone.open()).rejects.toMatchObject({ code: 'database-in-use' })
  await before.close()
  const after = await phone.open()
  expect(after.ownProfile.get('name')).toBe('Ada')
  expect(after.status).toBe('offline')
  await devices.close()
  await devices.close()
  await (await phone.open()).close()
})

test('a test server listens on loopback, takes calls of the backend, and frees its port at the end', async () => {
  const server = await startTestServer({ limits: { follows: 1 }, clock: new TestClock() })
  expect(server.url).toBe(`http://127.0.0.1:${server.port}`)
  expect(await server.admin('PUT', '/v1/users/bob', {})).toEqual({ status: 201, body: expect.anything() })
  expect(await server.admin('DELETE', '/v1/users/bob')).toEqual({ status: 204, body: undefined })
  await server.close()
  await server.close()
  await expect(fetch(server.url)).rejects.toThrow()
  const next = await startTestServer({ port: server.port })
  await expect(startTestServer({ port: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await next.close()
})

test('the contract finds a store that forgets changes, and passes a store that does not', async () => {
  const forgetful = async (options: Parameters<typeof openMemoryStore>[0]): Promise<Store> => {
    const store = await openMemoryStore(options)
    return Object.assign(store, { changedSince: async () => [] })
  }
  expect(await failuresOf(openMemoryStore)).toEqual([])
  const failures = await failuresOf(forgetful)
  expect(failures.length).toBeGreaterThan(0)
  expect(failures.filter(name => !/^\[F1\]/.test(name))).toEqual([])
})

/** The names of the contract's failing tests. The runner runs them one after another. */
async function failuresOf(openStore: Parameters<typeof storeContract>[1]): Promise<string[]> {
  const tests: { name: string; body: () => Promise<void> }[] = []
  const runner: TestRunner = { describe: (_, body) => body(), test: (name, body) => tests.push({ name, body }) }
  storeContract(runner, openStore)
  const failures: string[] = []
  for (const { name, body } of tests) await body().catch(() => failures.push(name))
  return failures
}
