import { readFile } from 'node:fs/promises'
import { canPickContacts, pickContacts, planImport, readContacts } from '@kith/client/import'
import { expect, test, vi } from 'vitest'
import { first, installation } from '../support/devices.ts'
import { card } from '../support/phone-books.ts'

/** The blocks of TypeScript of a guide, as functions of these names. */
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
