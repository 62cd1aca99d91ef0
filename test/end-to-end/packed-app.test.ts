import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { build, type Rolldown } from 'vite'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { type ServerProcess, startServerProcess } from '../../bench/src/server-process.ts'
import { installPackedApp, packedAppSources, runNode } from '../support/packed-app.ts'
import { browser, test as browserTest } from '../web/support/chromium.ts'

// Starting processes takes long on a busy machine.
vi.setConfig({ testTimeout: 180_000 })

/** A strict app outside the workspace that uses only packed packages, as an installed app does. */
let folder: string
let app: string
let server: ServerProcess

beforeAll(async () => {
  folder = await installPackedApp()
  app = join(folder, 'app')
  server = await startServerProcess({ program: join(app, 'node_modules/@kith/server/dist/main.js') })
}, 180_000)

afterAll(async () => {
  await server?.stop()
  if (folder) await rm(folder, { recursive: true })
})

test('the app of packed packages uses every entry point of the client and of the server', async () => {
  const sources = await Promise.all((await packedAppSources()).map(path => readFile(path, 'utf8')))
  const text = sources.join('\n')
  for (const name of ['client', 'server']) {
    const { exports } = createRequire(import.meta.url)(`../../packages/${name}/package.json`) as { exports: object }
    const entries = Object.keys(exports).filter(path => path !== './package.json')
    expect(entries.length).toBeGreaterThan(2)
    for (const path of entries) expect(text).toContain(`from '@kith/${name}${path.slice(1)}'`)
  }
})

test('the app of packed packages compiles strictly, libraries too, and runs in Node against a packed server', async () => {
  await runNode(app, 'node_modules/typescript/lib/tsc.js')
  const result = JSON.parse(
    await runNode(app, 'dist/main.js', server.url.replace('http', 'ws'), await server.token('ada'), app),
  )
  expect(result).toEqual({
    added: 1,
    found: ['+441632960002'],
    taken: 2,
    closed: 'closed',
    embedded: { app: 'the app', ready: 200, user: 'ada' },
    fields: { name: 'Ada' },
    contract: true,
  })
})

test('the types of the packed packages are read by the TypeScript that builds them, also for bundlers', async () => {
  const tsc = createRequire(import.meta.url)
    .resolve('typescript/package.json')
    .replace('package.json', 'bin/tsc')
  await runNode(app, tsc, '--noEmit')
  await runNode(app, tsc, '--noEmit', '--module', 'ESNext', '--moduleResolution', 'Bundler')
})

browserTest('a bundler makes a page of the packed packages, which runs in a browser', async () => {
  const { output } = (await build({
    ...{ configFile: false, root: app, logLevel: 'error', mode: 'production' },
    build: {
      ...{ write: false, target: 'es2022', modulePreload: false },
      rolldownOptions: { input: join(app, 'src/page.tsx') },
    },
  })) as Rolldown.RolldownOutput
  const files = new Map(output.map(file => [`/${file.fileName}`, file.type === 'chunk' ? file.code : file.source]))
  const entry = output.find(file => file.type === 'chunk' && file.isEntry)?.fileName
  const html = `<!doctype html><script type="module" src="/${entry}"></script>`
  const url = await serve(path => files.get(path)?.toString() ?? html)
  const page = await (await browser()).newPage()
  const errors: unknown[] = []
  page.on('pageerror', error => errors.push(error))
  const query = new URLSearchParams({ url: server.url.replace('http', 'ws'), token: await server.token('bob') })
  await page.goto(`${url}/?${query}`)
  await page.getByText('own: Bob, unsent: 0').waitFor()
  await page.getByText('files: kith-account, 1 card').waitFor()
  await page.getByText('ada: {"name":"Ada","phone":"+441632960001"}, sees me: visible').waitFor()
  await page.getByText('contacts: +441632960003, ada').waitFor()
  expect(errors).toEqual([])
  await page.close()
})

/** Serves texts by their paths on a free port, until the test ends. */
async function serve(textAt: (path: string) => string): Promise<string> {
  const http = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    response.setHeader('content-type', pathname === '/' ? 'text/html' : 'text/javascript')
    response.end(textAt(pathname))
  })
  onTestFinished(() => void http.close())
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`
}
