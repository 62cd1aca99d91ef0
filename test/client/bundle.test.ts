import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { ContactSynchronizer } from '@kith/client'
import { build, type Plugin, type Rolldown } from 'vite'
import { expect, test, vi } from 'vitest'
import { installation } from '../support/devices.ts'

const phones = vi.hoisted(() => ({ loads: 0 }))
vi.mock('@kith/shared/phone', original => {
  phones.loads++
  return original()
})

const sources = fileURLToPath(new URL('../../packages/client/src/', import.meta.url))

/** Packages that an app has anyway, or loads on demand. All other code that the client brings counts as Kith's. */
const notOurs = /^(yjs|dexie|react|libphonenumber-js|papaparse)(\/|$)/
/**
 * Modules that Yjs imports: they are in the app's bundle once, whichever package imports them. The rest of lib0 counts as
 * Kith's.
 */
const ofYjs = modulesOfLib0In(
  createRequire(sources)
    .resolve('yjs')
    .replace(/\.cjs$/, '.mjs'),
)

test('the browser bundle of the client is at most 51.5 KB gzipped, without Yjs, Dexie and phone number data', async () => {
  const { entry, atOnce } = await bundled('index.ts')
  expect(entry.exports).toContain('openKith')
  const bytes = gzippedBytes(atOnce)
  process.stdout.write(`the client in a browser: ${bytes} bytes gzipped, in ${atOnce.length} files\n`)
  expect(bytes).toBeGreaterThan(10_000) // Else it isn't the client.
  expect(bytes).toBeLessThanOrEqual(51_500)
})

test('what Yjs brings along is no part of the bundle of the client, and what it does not bring is one', async () => {
  const { chunks } = await bundled('index.ts')
  expect(ofYjs.size).toBeGreaterThan(5)
  const modules = chunks.flatMap(({ moduleIds }) => moduleIds).filter(id => id.includes('/lib0/'))
  expect(modules.some(id => id.endsWith('/hash/sha256.js'))).toBe(true)
  expect(modules.filter(id => id.endsWith('/encoding.js'))).toEqual([])
})

test('the phone number data is at most 4 KB gzipped, without libphonenumber-js', async () => {
  const { chunks, atOnce } = await bundled('index.ts')
  const bytes = gzippedBytes(chunks.filter(chunk => !atOnce.includes(chunk)))
  process.stdout.write(`phone numbers in a browser: ${bytes} bytes gzipped, loaded when an app asks for them\n`)
  expect(bytes).toBeGreaterThan(1_000)
  expect(bytes).toBeLessThanOrEqual(4_000)
})

test('libphonenumber-js is loaded by a dynamic import only', async () => {
  const { chunks, atOnce } = await bundled('index.ts')
  const users = chunks.filter(({ imports }) => imports.some(name => name.startsWith('libphonenumber-js')))
  expect(users.length).toBe(1)
  const [user] = users as [Rolldown.OutputChunk]
  expect(atOnce).not.toContain(user)
  expect(atOnce.some(({ dynamicImports }) => dynamicImports.includes(user.fileName))).toBe(true)
})

test('the phone number data is loaded only when an app uses phone numbers', async () => {
  const kith = await installation('alice').open()
  await new ContactSynchronizer(kith).sync(['+442079460123'])
  expect(phones.loads).toBe(0)
  await new ContactSynchronizer(kith, { phoneNumbers: true }).sync(['+44 20 7946 0124'])
  expect(phones.loads).toBe(1)
})

test('the client does not import React; the hooks do', async () => {
  const client = await bundled('index.ts')
  expect(importedBy(client.chunks)).toEqual(['dexie', 'libphonenumber-js', 'yjs'])
  const hooks = await bundled('react/index.ts')
  expect(importedBy(hooks.atOnce)).toEqual(['react'])
})

test('imports of phone books are at most 11 KB gzipped beside the client, without papaparse, and in no bundle without them', async () => {
  const client = await bundled('index.ts')
  const all = await bundled('import/index.ts')
  const own = withoutModulesOf(client.chunks, await bundled('import/index.ts', 'index.ts'))
  const bytes = gzippedBytes(own)
  process.stdout.write(`imports in a browser: ${bytes} bytes gzipped, beside the client\n`)
  expect(bytes).toBeGreaterThan(3_000)
  expect(bytes).toBeLessThanOrEqual(11_000)
  expect(importedBy(all.atOnce)).toEqual(['papaparse', 'yjs'])
  expect(importedBy(client.chunks)).not.toContain('papaparse')
})

test('export and import of accounts are at most 4 KB gzipped beside the client, and in no bundle without them', async () => {
  const client = await bundled('index.ts')
  const own = withoutModulesOf(client.chunks, await bundled('account/index.ts', 'index.ts'))
  const bytes = gzippedBytes(own)
  process.stdout.write(`export and import of accounts in a browser: ${bytes} bytes gzipped, beside the client\n`)
  expect(bytes).toBeGreaterThan(1_000)
  expect(bytes).toBeLessThanOrEqual(4_000)
})

/** The modules of lib0 that a file imports. */
function modulesOfLib0In(file: string): Set<string> {
  return new Set([...readFileSync(file, 'utf8').matchAll(/from '(lib0\/[^']+)'/g)].map(([, name]) => name as string))
}

/** The chunks that contain no module of the given chunks. */
function withoutModulesOf(known: readonly Rolldown.OutputChunk[], { chunks }: Bundle): Rolldown.OutputChunk[] {
  const modules = new Set(known.flatMap(chunk => chunk.moduleIds))
  return chunks.filter(chunk => !chunk.moduleIds.some(id => modules.has(id)))
}

function gzippedBytes(chunks: readonly Rolldown.OutputChunk[]): number {
  return chunks.reduce((sum, { code }) => sum + gzipSync(code).length, 0)
}

interface Bundle {
  entry: Rolldown.OutputChunk
  chunks: Rolldown.OutputChunk[]
  /** The entry, and the chunks that it imports when it is loaded. */
  atOnce: Rolldown.OutputChunk[]
}

/** Bundles the source as for a browser app, minified. */
async function bundled(source: string, ...others: string[]): Promise<Bundle> {
  const { output } = (await build({
    ...{ configFile: false, root: sources, logLevel: 'error', mode: 'production' },
    plugins: [withoutPreloading],
    resolve: { conditions: ['source', 'module', 'browser', 'production'] },
    build: {
      ...{ write: false, minify: true, modulePreload: false, target: 'es2022' },
      rolldownOptions: {
        input: [source, ...others].map(name => sources + name),
        external: id => notOurs.test(id) || ofYjs.has(id),
        preserveEntrySignatures: 'strict',
      },
    },
  })) as Rolldown.RolldownOutput
  const chunks = output.filter(file => file.type === 'chunk')
  const entry = chunks.find(({ isEntry }) => isEntry)
  if (!entry) throw new Error('Nothing was built')
  const atOnce = new Set([entry])
  for (const { imports } of atOnce) {
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) atOnce.add(chunk)
  }
  return { entry, chunks, atOnce: [...atOnce] }
}

/** Vite's helper that preloads styles for a dynamic import belongs to the app, not to the client. */
const withoutPreloading: Plugin = {
  name: 'without-preloading',
  enforce: 'pre',
  load: id => (id.includes('vite/preload-helper') ? 'export const __vitePreload = load => load()' : null),
}

/** The packages that these chunks import when they are loaded. */
function importedBy(chunks: readonly Rolldown.OutputChunk[]): string[] {
  const names = chunks.flatMap(({ imports }) => imports.filter(name => notOurs.test(name)))
  return [...new Set(names.map(name => name.replace(/\/.*/, '')))].sort()
}
