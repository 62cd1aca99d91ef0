import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kith, type KithOptions, openKith } from '@kith/client'
import { canPickContacts, pickContacts, planImport, readContacts } from '@kith/client/import'
import { KithProvider, useContacts, useKith, useProfile } from '@kith/client/react'
import { sqlite } from '@kith/client/sqlite'
import React, { type FunctionComponent, createElement as h, type ReactNode, Suspense, use } from 'react'
import { derived } from 'svelte/store'
import { transformWithOxc } from 'vite'
import { expect, onTestFinished, test, vi } from 'vitest'
import { effectScope, onScopeDispose, type ShallowRef, shallowRef, watch } from 'vue'
import { backend } from '../support/backend.ts'
import { first, installation } from '../support/devices.ts'
import { openPage } from '../support/page.ts'
import { card } from '../support/phone-books.ts'

/** The TypeScript blocks of a guide, as functions with these names as parameters. */
async function blocksOf(guide: string, names: readonly string[]): Promise<((...values: unknown[]) => Promise<void>)[]> {
  const text = await readFile(new URL(`../../docs/guides/${guide}.md`, import.meta.url), 'utf8')
  const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor
  return [...text.matchAll(/```ts\n(.+?)```/gs)].map(
    ([, code = '']) => new AsyncFunction(...names, code.replace(/^import .*$/gm, '')),
  )
}

test('the examples of the guide to phone books do what they say', async () => {
  const kith = await installation('alice').open()
  const names = ['kith', 'file', 'planImport', 'readContacts', 'canPickContacts', 'pickContacts', 'button', 'console']
  const [plan, pick, ...others] = await blocksOf('phone-books', names)
  expect(others).toEqual([])
  const button: { hidden?: boolean; onclick?: () => Promise<void> } = {}
  const log = vi.fn()
  const file = new Blob([card('FN:Ada', 'TEL:020 7946 0123')])
  const values = [kith, file, planImport, readContacts, canPickContacts, pickContacts, button, { log }]
  await plan?.(...values)
  expect(log.mock.calls).toEqual([[[{ address: '+442079460123', label: 'Ada' }], [], []], [[]]])
  expect(await first(kith.contacts())).toEqual([]) // The last line takes the import back.

  await pick?.(...values)
  expect(button.hidden).toBe(true)
  vi.stubGlobal('navigator', { contacts: { select: async () => [{ name: ['Bob'], tel: ['+44 20 7946 0124'] }] } })
  await button.onclick?.()
  vi.unstubAllGlobals()
  expect(await first(kith.contacts())).toMatchObject([{ id: '+442079460124', label: 'Bob' }])
})

test('the examples of the guide to contacts name levels, search, and keep what is large elsewhere', async () => {
  const { wsUrl: url, issueToken, open } = await backend()
  const blobs = new Map<string, Uint8Array>()
  const store = {
    put: async (bytes: Uint8Array): Promise<string> => {
      blobs.set(`blob-${blobs.size}`, bytes)
      return `blob-${blobs.size - 1}`
    },
    get: async (address: string): Promise<Uint8Array | undefined> => blobs.get(address),
  }
  const log = vi.fn()
  const text = await readFile(new URL('../../docs/guides/names-search-attachments.md', import.meta.url), 'utf8')
  const code = [...text.matchAll(/```ts\n(.+?)```/gs)].map(([, block = '']) => block.replace(/^import .*$/gm, ''))
  expect(code).toHaveLength(3)
  const { code: script } = await transformWithOxc(`${code.join('\n')}\nexport { kith, attach, load }`, 'guide.ts')
  const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor
  const run = new AsyncFunction(
    ...['openKith', 'url', 'token', 'blobs', 'console'],
    script.replace(/export \{[^}]*\};?/, 'return { kith, attach, load }'),
  )
  const openAda = async (options: KithOptions): Promise<Kith> => open('ada', options)
  const { kith, attach, load } = await run(openAda, url, await issueToken('ada'), store, { log })
  expect(kith.ownProfile.fields.get(2)).toEqual({ phone: '+441632960001' })
  expect(log.mock.calls[0]).toEqual([[2, 7]])
  await expect.poll(() => log.mock.calls.at(-1)).toEqual([1])

  const picture = new Uint8Array(100_000).fill(7)
  await attach(kith, 'photo', picture, 'family')
  await kith.whenSynced()
  const bob = (await open('bob', {})) as Kith
  const seen = bob.getProfile('ada')
  await expect.poll(() => seen.get('photo')).toBe('blob-0')
  expect(await load(seen, 'photo')).toEqual(picture)
  blobs.set('blob-0', new Uint8Array(1))
  expect(await load(seen, 'photo')).toBeUndefined()
  expect(await load(seen, 'film')).toBeUndefined()
})

/** A guide's example. Returns some of its definitions. */
type Made = (...values: unknown[]) => Promise<Record<string, unknown>>

/** One block of a guide. The example ends by returning these names. */
async function blockOf(guide: string, number: number, names: readonly string[], made: string): Promise<Made> {
  const text = await readFile(new URL(`../../docs/guides/${guide}.md`, import.meta.url), 'utf8')
  const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor
  const code = [...text.matchAll(/```ts\n(.+?)```/gs)][number]?.[1] ?? ''
  return new AsyncFunction(...names, `${code.replace(/^import .*$/gm, '')}\nreturn { ${made} }`)
}

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'kith-guide-'))
  onTestFinished(() => rm(made, { recursive: true, force: true }))
  return made
}

test('[D1] the bot of the guide to Node answers, closes on SIGTERM, and has its name after a restart', async () => {
  const { wsUrl: url, issueToken, device } = await backend()
  const once = vi.fn<(signal: string, end: () => void) => void>()
  const place = await folder()
  const names = ['openKith', 'sqlite', 'url', 'token', 'report', 'process']
  const bot = await blockOf('node', 0, names, 'kith')
  const report = vi.fn()
  const values = [openKith, () => sqlite(place), url, () => issueToken('bot'), report, { once }]
  const kith = (await bot(...values))['kith'] as Kith
  onTestFinished(() => kith.close())
  const alice = await device('alice')
  await Promise.all([kith.whenSynced(), alice.whenSynced()])
  const heard = new Promise<string>(resolve => void alice.on('message', ({ text }) => resolve(text)))
  await alice.send('bot', 'hello')
  expect(await heard).toBe('You said: hello')
  const [signal, end] = once.mock.calls[0] ?? []
  expect(signal).toBe('SIGTERM')
  end?.()
  const again = await openKith({ url, token: 'none', user: 'bot', connect: false, storage: sqlite(place) })
  onTestFinished(() => again.close())
  expect([again.ownProfile.get('name'), report.mock.calls]).toEqual(['Echo', []])
})

test('the main process of the guide to Electron serves its windows, and closes before it quits', async () => {
  const { wsUrl: url, issueToken } = await backend()
  const place = await folder()
  const handlers = new Map<string, (event: unknown, name: string) => Promise<void>>()
  const listeners = new Map<string, () => void>()
  const app = { getPath: () => place, on: (name: string, end: () => void) => listeners.set(name, end) }
  const ipcMain = { handle: (name: string, handler: never) => handlers.set(name, handler) }
  const webContents = { send: vi.fn() }
  const names = ['join', 'openKith', 'sqlite', 'app', 'ipcMain', 'url', 'token', 'user', 'windows', 'report']
  const main = await blockOf('electron', 0, names, 'kith')
  const token = await issueToken('ada')
  const values = [join, openKith, sqlite, app, ipcMain, url, token, 'ada', () => [{ webContents }], vi.fn()]
  const kith = (await main(...values))['kith'] as Kith
  onTestFinished(() => kith.close())
  await handlers.get('kith:setName')?.({}, 'Ada')
  expect(kith.ownProfile.get('name')).toBe('Ada')
  kith.getProfile('bob').setLabel('Bob')
  await kith.getProfile('bob').save()
  await expect
    .poll(() => webContents.send.mock.calls.at(-1))
    .toMatchObject(['kith:contacts', [{ id: 'bob', label: 'Bob' }]])
  expect(structuredClone(webContents.send.mock.calls.at(-1)?.[1])).toBeDefined()
  listeners.get('before-quit')?.()
  await kith.close()
  await expect(kith.ownProfile.set('name', 'Ada L.')).rejects.toMatchObject({ code: 'closed' })
})

test('the example for Vue follows contacts, and ends with its component', async () => {
  const kith = await installation('alice').open()
  const example = await blockOf('frameworks', 0, ['onScopeDispose', 'shallowRef', 'kith'], 'contacts, useObservable')
  const scope = effectScope()
  const unsubscribe = vi.fn()
  const contacts = kith.contacts()
  const subscribe = (next: (rows: unknown) => void): object => {
    const subscription = contacts.subscribe(next)
    return { unsubscribe: unsubscribe.mockImplementation(() => subscription.unsubscribe()) }
  }
  // Vue's scope covers the call. The function of the example runs within it until it ends.
  const running = scope.run(() => example(onScopeDispose, shallowRef, { contacts: () => ({ subscribe }) }))
  const made = (await running) as { contacts: ShallowRef<{ id: string }[] | undefined> }
  const seen: unknown[] = []
  watch(made.contacts, rows => seen.push(rows?.map(({ id }) => id)), { flush: 'sync' })
  kith.getProfile('bob').setLabel('Bob')
  await kith.getProfile('bob').save()
  await expect.poll(() => seen.at(-1)).toEqual(['bob'])
  scope.stop()
  expect(unsubscribe).toHaveBeenCalledOnce()
})

test('Svelte reads contacts as a store', async () => {
  const kith = await installation('alice').open()
  const { contacts } = await (await blockOf('frameworks', 1, ['kith'], 'contacts'))(kith)
  const ids = derived(contacts as never, (rows: { id: string }[] | undefined) => rows?.map(({ id }) => id))
  const seen: unknown[] = []
  const stop = ids.subscribe(value => seen.push(value))
  kith.getProfile('bob').setLabel('Bob')
  await kith.getProfile('bob').save()
  await expect.poll(() => seen.at(-1)).toEqual(['bob'])
  stop()
})

/** The exports of a guide's TSX blocks, as functions of their imports. */
async function componentsOf(guide: string, around: Record<string, unknown>): Promise<Record<string, unknown>> {
  const text = await readFile(new URL(`../../docs/guides/${guide}.md`, import.meta.url), 'utf8')
  const source = [...text.matchAll(/```tsx\n(.+?)```/gs)].map(([, block]) => block).join('')
  const exported = [...source.matchAll(/^export function (\w+)/gm)].map(([, name]) => name)
  const body = source.replace(/^import .*$/gm, '').replace(/^export /gm, '')
  const file = `(() => {${body}; return { ${exported} }})()`
  const { code } = await transformWithOxc(file, 'guide.tsx', { jsx: { runtime: 'classic' } })
  return new Function(...Object.keys(around), `return ${code}`)(...Object.values(around))
}

test('the components of the guide to React open the client, and grant a level by a switch', async () => {
  const kith = await installation('alice').open()
  const page = await openPage()
  const around = { React, use, KithProvider, useKith, useProfile, url: '', token: '', user: 'alice' }
  const Contacts = (): ReactNode => h(FamilySwitch, { id: 'bob' })
  const { App, FamilySwitch } = (await componentsOf('react', { ...around, Contacts, openKith: async () => kith })) as {
    App: FunctionComponent
    FamilySwitch: FunctionComponent<{ id: string }>
  }
  page.show(h(Suspense, { fallback: 'opening' }, h(App)))
  await expect.poll(() => page.text).toBe(' Family')
  const input = document.querySelector('input') as HTMLInputElement
  for (const levels of [[2], []]) {
    input.click()
    await expect.poll(() => kith.getProfile('bob').accessLevels).toEqual(levels)
    await expect.poll(() => input.checked).toBe(levels.length > 0)
  }
})

test('the provider for server rendering shows its fallback, then what it wraps, and closes its client', async () => {
  const guide = await readFile(new URL('../../docs/guides/frameworks.md', import.meta.url), 'utf8')
  const [, source = ''] = /```tsx\n(.+?)```/s.exec(guide) ?? []
  const body = source
    .replace(/^import .*$|^'use client'$/gm, '')
    .replace('export function KithGate', 'return KithGate; function KithGate')
  const { code } = await transformWithOxc(`(() => {${body}})`, 'guide.tsx', { jsx: { runtime: 'classic' } })
  const opened: Kith[] = []
  let open: () => void = () => undefined
  const mayOpen = new Promise<void>(resolve => {
    open = resolve
  })
  const opening = async (options: KithOptions): Promise<Kith> => {
    await mayOpen
    const kith = await installation('alice').open(options)
    opened.push(kith)
    return kith
  }
  const { useEffect, useState } = React
  const around = { React, KithProvider, openKith: opening, useEffect, useState }
  const made = new Function(...Object.keys(around), `return ${code.replace(/;\s*$/, '')}`)
  const KithGate = made(...Object.values(around))()
  const Ids = (): ReactNode =>
    useContacts()
      ?.map(({ id }) => id)
      .join(' ') ?? '…'
  const page = await openPage()
  page.show(h(KithGate, { options: { connect: false }, fallback: 'opening' }, h(Ids)))
  await expect.poll(() => page.text).toBe('opening')
  open()
  await expect.poll(() => opened.length).toBe(1)
  await opened[0]?.ownProfile.set('name', 'Ada')
  opened[0]?.getProfile('bob').setLabel('Bob')
  await opened[0]?.getProfile('bob').save()
  await expect.poll(() => page.text).toBe('bob')
  page.show(null)
  await expect
    .poll(() =>
      opened[0]?.ownProfile.set('name', 'x').then(
        () => 'open',
        error => error.code,
      ),
    )
    .toBe('closed')
})
