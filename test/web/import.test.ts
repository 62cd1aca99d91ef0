import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Locator } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'
import { card } from '../support/phone-books.ts'
import { axeFinds } from './support/axe.ts'
import { test } from './support/chromium.ts'
import { openDemo } from './support/demo.ts'
import { screenshot } from './support/screenshot.ts'

const ada = card('FN:Ada', 'TEL:020 7946 0123')
const bob = card('N:Bob', 'TEL:+44 20 7946 0124')
const eve = card('FN:Eve', 'TEL:12')

/** Drops a file from the disk on an element, as a person does with the mouse. */
async function drop(zone: Locator, text: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-drop-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'book.vcf')
  await writeFile(file, text)
  const session = await zone.page().context().newCDPSession(zone.page())
  const box = await zone.boundingBox()
  const [x, y] = [(box?.x ?? 0) + 20, (box?.y ?? 0) + 20]
  const data = { items: [], files: [file], dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x, y, data })
  }
}

test('a phone book that is dropped is shown, imported, taken back, and imported from a chosen file', async () => {
  const { page, device } = await openDemo({ at: '/#alice/phone' })
  const phone = device('Alice’s phone')
  const dialog = page.getByRole('dialog', { name: /^Import a phone book/ })
  await phone.openImport()
  await drop(dialog.locator('.drop-zone'), ada + bob + eve)
  await dialog.getByText('Nothing is written yet. 2 to add, 0 to change, 0 unchanged.').waitFor()
  await dialog.getByRole('region', { name: 'To add' }).getByText('Ada (+442079460123)').waitFor()
  const remarks = await dialog.getByRole('region', { name: 'Remarks' }).getByRole('listitem').allInnerTexts()
  expect(remarks).toEqual([
    'Line 5: Bob: There is no FN, so the name is that of N',
    'Line 9: Eve: 12: This is not a phone number. Check the digits.',
  ])
  await screenshot(page, 'import-planned')
  expect(await axeFinds(page)).toEqual([])

  await dialog.getByRole('button', { name: 'Import' }).click()
  await dialog.getByText('2 added, 0 changed, 0 unchanged, 0 removed.').waitFor()
  await phone.row('Ada').waitFor({ state: 'attached' })
  await dialog.getByRole('button', { name: 'Undo' }).click()
  await dialog.getByText('The import was taken back.').waitFor()
  await dialog.getByRole('button', { name: 'Close' }).click()
  await phone.card.getByText('No contacts yet.').waitFor()

  await phone.openImport()
  await dialog.locator('input[type=file]').setInputFiles({
    ...{ name: 'book.vcf', mimeType: 'text/vcard', buffer: Buffer.from(ada + bob) },
  })
  await dialog.getByRole('button', { name: 'Import' }).click()
  await dialog.getByRole('button', { name: 'Done' }).click()
  await phone.row('Ada').waitFor()
  await phone.row('Bob').waitFor()
})

test('who left the phone book is shown, and removed only when the user asks for it', async () => {
  const { page, device } = await openDemo({ at: '/#alice/phone' })
  const phone = device('Alice’s phone')
  const dialog = page.getByRole('dialog', { name: /^Import a phone book/ })
  const choose = async (text: string): Promise<void> => {
    await phone.openImport()
    const buffer = Buffer.from(text)
    await dialog.locator('input[type=file]').setInputFiles({ name: 'book.vcf', mimeType: 'text/vcard', buffer })
    await dialog.getByText('Nothing is written yet.').waitFor()
  }
  await choose(ada + bob)
  await dialog.getByRole('button', { name: 'Import' }).click()
  await dialog.getByRole('button', { name: 'Done' }).click()

  await choose(bob)
  await dialog.getByRole('region', { name: 'No longer in the phone book' }).getByText('Ada (+442079460123)').waitFor()
  expect(await dialog.getByRole('button', { name: 'Import' }).isDisabled()).toBe(true)
  await dialog.getByText('Remove contacts that are no longer in it').click()
  await dialog.getByRole('button', { name: 'Import' }).click()
  await dialog.getByText('0 added, 0 changed, 1 unchanged, 1 removed.').waitFor()
  await dialog.getByRole('button', { name: 'Done' }).click()
  await phone.row('Ada').waitFor({ state: 'detached' })
  await phone.row('Bob').waitFor()
})
