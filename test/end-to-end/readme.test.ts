import { readFile } from 'node:fs/promises'
import { type Kith, type KithOptions, openKith } from '@kith/client'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { startServerProcess } from '../../bench/src/server-process.ts'
import { openDevice, settle } from '../support/process-devices.ts'

type Block = (openKith: unknown, token: string, console: unknown) => Promise<void>

/** The README's first code block, as a function of the names that a page provides. */
async function readmeBlock(): Promise<Block> {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const [, code = ''] = /```ts\n(.+?)```/s.exec(readme) ?? []
  const body = code.replace(/^import .*$/gm, '')
  const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor
  return new AsyncFunction('openKith', 'token', 'console', body) as Block
}

test("the README's first example does what it says", async () => {
  const server = await startServerProcess()
  onTestFinished(() => server.stop())
  const bob = await openDevice(server, 'bob')
  await bob.ownProfile.set('name', 'Bob')
  await bob.whenSynced()
  const logged: unknown[][] = []
  let tell: () => void = () => undefined
  const told = new Promise<void>(resolve => {
    tell = resolve
  })
  const log = (...line: unknown[]): void => {
    logged.push(line)
    if (logged.length === 2) tell()
  }
  const open = async (options: KithOptions): Promise<Kith> => {
    const kith = await openKith({
      ...options,
      url: server.url.replace('http', 'ws'),
      indexedDB: new IDBFactory(),
      IDBKeyRange,
      WebSocket: WebSocket as unknown as NonNullable<typeof options.WebSocket>,
    })
    onTestFinished(() => kith.close())
    return kith
  }
  const run = await readmeBlock()
  await run(open, await server.token('ada'), { log })
  await settle(bob)
  expect(bob.getProfile('ada').fields).toEqual({ name: 'Ada', phone: '+441632960001' })
  await bob.ownProfile.set('name', 'Robert')
  await told
  expect(logged).toEqual([
    ['bob', { name: 'Bob' }],
    ['bob', { name: 'Robert' }],
  ])
})
