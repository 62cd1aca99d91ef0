import { expect } from 'vitest'
import { card } from '../support/phone-books.ts'
import { test } from './support/chromium.ts'
import { openDemo } from './support/demo.ts'

test('when a part of the page is not on the server any more, the page says to reload it', async () => {
  const { page, complaints, device } = await openDemo({ at: '/#alice/phone' })
  complaints.expect(/404 \(Not Found\)/)
  const phone = device('Alice’s phone')
  await phone.isInStep()
  await page.route(/assets\/(import|phone)-/, route => route.fulfill({ status: 404, body: '' }))
  const words = 'A part of this page could not be loaded. Reload the page, then try again.'

  const dialog = await phone.openImport()
  const buffer = Buffer.from(card('FN:Ada', 'TEL:+442079460123'))
  await dialog.locator('input[type=file]').setInputFiles({ name: 'book.vcf', mimeType: 'text/vcard', buffer })
  await dialog.getByText(words).waitFor()
  await page.keyboard.press('Escape')

  await phone.card.getByRole('button', { name: 'Add', exact: true }).click()
  const form = page.getByRole('dialog', { name: 'Add a contact' })
  await form.getByLabel('User name').fill('020 7946 0123')
  await form.getByText('It is a phone number').click()
  await form.getByRole('button', { name: 'Add', exact: true }).click()
  await form.getByText(words).waitFor()
  expect(await form.getByLabel('User name').inputValue()).toBe('020 7946 0123')
})

test('a server that gives this page no tokens is not said to be away', async () => {
  const { page, complaints, device } = await openDemo()
  complaints.expect(/404 \(Not Found\)/)
  await page.route('**/demo/tokens', route => route.fulfill({ status: 404, json: { error: { message: 'no route' } } }))
  await page.getByLabel('User name').fill('alice')
  await page.getByRole('button', { name: 'Add the device' }).click()
  const { card: phone } = device('Alice’s phone')
  await phone.getByText('This server issues no tokens to this page.').waitFor()
  expect(await phone.getByText('The server cannot be reached').count()).toBe(0)
})

test('a server that cannot issue a token just now is said to be away, also when its answer is JSON', async () => {
  const { page, complaints, device } = await openDemo()
  complaints.expect(/503 \(Service Unavailable\)/)
  const json = { error: { message: 'no node is running' } }
  await page.route('**/demo/tokens', route => route.fulfill({ status: 503, json }))
  await page.getByLabel('User name').fill('alice')
  await page.getByRole('button', { name: 'Add the device' }).click()
  const phone = device('Alice’s phone')
  await phone.card.getByText('The server cannot be reached').waitFor()
  expect(await phone.card.getByText('issues no tokens').count()).toBe(0)
  await page.unroute('**/demo/tokens')
  await phone.isInStep()
})
