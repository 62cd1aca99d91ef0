import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ContactSynchronizer, type Kith, type KithOptions, openKith } from '@kith/client'
import { sqlite } from '@kith/client/sqlite'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { SignJWT } from 'jose'
import { expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { startServerProcess } from '../../bench/src/server-process.ts'
import { backend } from '../support/backend.ts'
import { readGuide } from '../support/guide.ts'

// Some tests start a process, which takes long on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const guidesFolder = new URL('../../docs/guides/', import.meta.url)

/** `openKith` as the guides call it: on the server at this address, and on a new device if they name no storage. */
function openOn(url: string): (options: KithOptions) => Promise<Kith> {
  return async options => {
    const browser = { indexedDB: new IDBFactory(), IDBKeyRange, WebSocket: WebSocket as never }
    const kith = await openKith({ ...(!options.storage && browser), ...options, url })
    onTestFinished(() => kith.close())
    return kith
  }
}

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'kith-guide-'))
  onTestFinished(() => rm(made, { recursive: true, force: true }))
  return made
}

test('each guide with code in TypeScript has a test that runs it', async () => {
  const guides = (await readdir(guidesFolder)).map(file => file.replace('.md', ''))
  const tests = await Promise.all(
    [
      'guides-run.test.ts',
      'guides.test.ts',
      'embedding.test.ts',
      'webhooks.test.ts',
      '../client/account.test.ts',
      '../support/guided-drivers.ts',
    ].map(file => readFile(new URL(file, import.meta.url), 'utf8')),
  )
  const isRun = (guide: string): boolean =>
    tests.some(text => text.includes(`'${guide}'`) || text.includes(`/${guide}.md`))
  for (const guide of guides) {
    const hasCode = /```tsx?\n/.test(await readFile(new URL(`${guide}.md`, guidesFolder), 'utf8'))
    expect([guide, !hasCode || isRun(guide)]).toEqual([guide, true])
  }
})

test('the quick start leads from two tokens to a grant that arrives, a device in Node, and an edit offline', async () => {
  const data = await folder()
  const server = await startServerProcess({ folder: data, env: { KITH_ADMIN_KEY: '' } })
  onTestFinished(() => server.stop())
  const text = await readFile(new URL('quick-start.md', guidesFolder), 'utf8')
  const commands = [...text.matchAll(/^node (packages\/server\/dist\/main\.js token \w+) --data \.\/data$/gm)]
  const tokenOf = async (args: string[]): Promise<string> => {
    const cwd = new URL('../..', import.meta.url)
    return (await promisify(execFile)(process.execPath, [...args, '--data', data], { cwd })).stdout.trim()
  }
  const tokens = await Promise.all(commands.map(([, command = '']) => tokenOf(command.split(' '))))
  expect(tokens).toHaveLength(3)
  const shown: unknown[] = []
  const botsFolder = await folder()
  await (await readGuide('quick-start')).run({
    openKith: openOn(server.url.replace('http', 'ws')),
    sqlite: () => sqlite(botsFolder),
    adasToken: tokens[0],
    bobsToken: tokens[1],
    botsToken: tokens[2],
    show: (id: string, fields: unknown) => shown.push([id, fields]),
  })
  await expect.poll(() => shown).toContainEqual(['ada', { name: 'Ada', phone: '+441632960001' }])
})

test('the guide to contacts and levels shows what each user sees', async () => {
  const { wsUrl, issueToken } = await backend()
  const kith = await openOn(wsUrl)({ url: wsUrl, token: await issueToken('ada') })
  const rows: unknown[] = []
  const guide = await readGuide('contacts-and-levels')
  await guide.run({ kith, render: (shown: { id: string }[]) => rows.push(shown.map(({ id }) => id)) })
  await expect.poll(() => rows.at(-1)).toEqual(['bob'])
})

test('the guide to merging shows what a phone and a laptop agree on', async () => {
  const { wsUrl, issueToken } = await backend()
  const open = openOn(wsUrl)
  const token = await issueToken('ada')
  const [phone, laptop] = [await open({ url: wsUrl, token }), await open({ url: wsUrl, token })]
  await Promise.all([phone.whenSynced(), laptop.whenSynced()])
  const report = vi.fn()
  await (await readGuide('offline-and-merging')).run({ kith: phone, phone, laptop, ContactSynchronizer, report })
  expect(report).not.toHaveBeenCalled()
})

test('the guide to presence and messages shows that Bob is online, and that a message arrives', async () => {
  const { wsUrl, issueToken } = await backend()
  const open = openOn(wsUrl)
  const [kith, bob] = await Promise.all(
    ['ada', 'bob'].map(async user => open({ url: wsUrl, token: await issueToken(user) })),
  )
  await Promise.all([kith, bob].map(one => one?.ownProfile.set('name', 'x')))
  await Promise.all([kith, bob].map(one => one?.whenSynced()))
  const [shown, heard]: [string[], string[]] = [[], []]
  bob?.on('message', ({ text }) => heard.push(text))
  await (await readGuide('presence-and-messages')).run({ kith, show: (text: string) => shown.push(text) })
  expect(heard).toEqual(['hello'])
  await expect.poll(() => shown).toContain('online')
})

test('the guide to the backend issues tokens in two ways, pairs, revokes and erases', async () => {
  const tokenSecret = 'a secret of 32 bytes that nobody else knows'
  const { url, wsUrl, adminKey, issueToken } = await backend()
  const kept: Kith[] = []
  const open = openOn(wsUrl)
  await (await readGuide('backend')).run({
    openKith: async (options: KithOptions) => {
      const kith = await open(options)
      kept.push(kith)
      await kith.whenSynced()
      return kith
    },
    // The device has no key: it asks the backend for a token.
    fetch: async (address: string, init?: RequestInit) =>
      address === '/token' ? new Response(await issueToken('ada')) : fetch(address, init),
    ...{ SignJWT, url: wsUrl, server: url, adminKey, tokenSecret },
  })
  expect(kept.map(({ user }) => user)).toEqual(['ada'])
})

test('the script of the guide to porting from mesibo runs against a real server', async () => {
  const { wsUrl, issueToken } = await backend()
  const names = { url: wsUrl, token: await issueToken('ada') }
  await (await readGuide('porting-from-mesibo')).run({ openKith: openOn(wsUrl), ContactSynchronizer, ...names })
})
