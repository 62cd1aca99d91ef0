import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import * as Wire from '@kith/shared/wire'
import { build, type Rolldown } from 'vite'
import { expect, test } from 'vitest'
import { mutation } from '../mutants/plugin.ts'

/**
 * Only the features that Yjs and React use when they are loaded: no TextEncoder, TextDecoder, indexedDB, WebSocket, navigator,
 * BroadcastChannel, structuredClone or timers. Test runners that simulate a browser lack some of these.
 */
function barePlatform(): object {
  const getRandomValues = <T extends Uint8Array>(bytes: T): T => bytes.fill(7)
  return { crypto: { getRandomValues }, console: { log: () => undefined, warn: () => undefined } }
}

const packages = fileURLToPath(new URL('../../packages/', import.meta.url))

test.each([
  ['@kith/shared', 'shared/src/index.ts', 'parseUserId'],
  ['@kith/shared/wire', 'shared/src/wire/index.ts', 'decodeFrame'],
  ['@kith/shared/phone', 'shared/src/phone.ts', 'normalisePhoneNumber'],
  ['@kith/client', 'client/src/index.ts', 'openKith'],
  ['@kith/client/react', 'client/src/react/index.ts', 'KithProvider'],
])('%s is imported where the platform has no TextEncoder, IndexedDB, WebSocket or timers', async (_, source, name) => {
  const exported = await load(source, barePlatform())
  expect(typeof exported[name]).toBe('function')
})

test('[S1] without TextEncoder and TextDecoder, a text arrives as it was sent, and bytes that are not UTF-8 are malformed', async () => {
  const { encodeFrame, decodeFrame } = (await load('shared/src/wire/index.ts', barePlatform())) as typeof Wire
  const message = { type: 'message', id: 'id', from: 'zoë', text: '\ufeffhéllo 😀' } as const
  const frame = encodeFrame(message)
  expect([...frame]).toEqual([...Wire.encodeFrame(message)])
  expect(decodeFrame(frame)).toEqual(message)
  frame[frame.length - 1] = 0xff
  expect(decodeFrame(frame)).toMatchObject({ type: 'malformed' })
})

/** Returns the exports of a module that is loaded, with all its imports, as one script on such a platform. */
async function load(source: string, platform: object): Promise<Record<string, unknown>> {
  const { output } = (await build({
    ...{ configFile: false, root: packages, logLevel: 'error', mode: 'production', plugins: [mutation()] },
    define: { 'process.env.NODE_ENV': '"production"' },
    resolve: { conditions: ['source', 'module', 'browser', 'production'] },
    build: {
      ...{ write: false, minify: false, target: 'es2022' },
      lib: { entry: packages + source, formats: ['iife'], name: 'exported' },
    },
  }).then(one => (Array.isArray(one) ? one[0] : one))) as Rolldown.RolldownOutput
  const script = output.map(file => (file.type === 'chunk' ? file.code : '')).join('')
  return runInContext(`${script}\nexported`, createContext(platform)) as Record<string, unknown>
}
