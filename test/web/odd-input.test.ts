import { expect, test as plainTest } from 'vitest'
import { nameOf } from '../../examples/web/src/device/contact-names.ts'
import { test } from './support/chromium.ts'
import { openDemo, showDevices } from './support/demo.ts'

const badIds = [' ', '..', '\u202Eevil', 'a\u0007b', 'ä'.repeat(100)]

test('signing in with a text that cannot be a user name says why, and opens no device', async () => {
  const { page } = await openDemo()
  const field = page.getByLabel('User name')
  for (const id of badIds) {
    await field.fill(id)
    await page.getByRole('button', { name: 'Add the device' }).click()
    const words =
      id.length === 100 ? 'This is too long for a user name. Use fewer characters.' : 'This cannot be a user name.'
    await page.getByText(id === ' ' ? 'Enter a user name.' : words).waitFor()
    expect(await page.locator('.device').count()).toBe(0)
  }
  // The field has the focus, and the button does not move when the focus leaves the field: one press is enough.
  await field.fill(' <b>😀</b> ')
  await page.getByRole('button', { name: 'Add the device' }).click()
  await page.getByRole('region', { name: '<b>😀</b>’s phone', exact: true }).getByText('Saved on the server').waitFor()
})

test('a link that names no device opens the page with all devices', async () => {
  const { page } = await openDemo()
  const links = ['#%E0%A4%A/phone', '#alice/phone/more', ...badIds.map(id => `#${encodeURIComponent(id)}/phone`)]
  for (const link of links) {
    await page.goto('about:blank')
    await page.goto(`/${link}`)
    await page.getByRole('heading', { name: 'Your contacts' }).waitFor()
  }
})

test('another device in the address of an open window is shown there', async () => {
  const { page, device } = await openDemo({ at: '/#alice/phone' })
  await device('Alice’s phone').isInStep()
  await page.goto('/#bob/phone')
  await device('Bob’s phone').isInStep()
  expect(await device('Alice’s phone').card.count()).toBe(0)
  await page.goBack()
  await device('Alice’s phone').isInStep()
})

test('of the devices that the browser remembers, those that cannot be opened or are there twice are left out', async () => {
  const { page, device } = await openDemo()
  const alice = { user: 'alice', device: 'phone' }
  await showDevices(page, [{ user: '\ud800', device: 'phone' }, { user: 'bob', device: '\ud800' }, alice, alice])
  await device('Alice’s phone').isInStep()
  expect(await page.locator('.device:not(.what-happened)').count()).toBe(1)
})

test('a text that is refused stays in its field', async () => {
  const { device } = await openDemo({ at: '/#alice/phone' })
  const phone = device('Alice’s phone')
  await phone.add('bob')
  await phone.openContact('Bob')
  const label = phone.card.getByLabel('Your name for them')
  await phone.fill(label, 'x'.repeat(10_000))
  await phone.card.getByText('The name is too long. Shorten it.').waitFor()
  expect((await label.inputValue()).length).toBe(10_000)
  await phone.fill(label, 'Bobby')
  await phone.card.getByRole('heading', { name: 'Bobby', exact: true }).waitFor()
  expect(await phone.card.getByRole('alert').count()).toBe(0)

  await phone.goTo('My profile')
  await phone.card.getByText('Add a field').click()
  const name = phone.card.getByLabel('Field', { exact: true })
  const value = phone.card.getByLabel('Value', { exact: true })
  await name.fill('y'.repeat(1_000))
  await value.fill('many words')
  await value.press('Enter')
  await phone.card.getByText('The name of the field is too long. Shorten it.').waitFor()
  expect((await name.inputValue()).length).toBe(1_000)
  expect(await value.inputValue()).toBe('many words')
  await name.fill('__proto__')
  await value.press('Enter')
  await phone.card.getByLabel('__proto__', { exact: true }).waitFor()
  expect(await name.inputValue()).toBe('')
})

test('what was typed is saved when Back takes its screen away', async () => {
  const { page, device } = await openDemo({ at: '/#alice/phone' })
  const phone = device('Alice’s phone')
  await phone.add('bob')
  await phone.openContact('Bob')
  await phone.card.getByLabel('Your name for them').fill('Bobby')
  await page.goBack()
  await phone.row('Bobby').waitFor()
})

test('a text that is refused when Back takes its screen away is said in a notice', async () => {
  const { page, device } = await openDemo({ at: '/#alice/phone' })
  const phone = device('Alice’s phone')
  await phone.add('bob')
  await phone.openContact('Bob')
  await phone.card.getByLabel('Your name for them').fill('x'.repeat(10_000))
  await page.goBack()
  await phone.row('Bob').waitFor()
  await phone.card.locator('.notice').getByText('The name is too long. Shorten it.').waitFor()

  await phone.goTo('My profile')
  await phone.card.getByLabel('About', { exact: true }).fill('x'.repeat(1_000_000))
  await page.goBack()
  await phone.row('Bob').waitFor()
  await phone.card.locator('.notice').getByText('The profile is full.').waitFor()
})

plainTest.each(['   ', '\u200b\u2060', '\u202e\u3164', ''])(
  'a name without visible characters (%j) is ignored',
  name => {
    expect(nameOf({ id: 'bob', label: name, fields: { name: 'Robert' } })).toBe('Robert')
    expect(nameOf({ id: 'bob', label: undefined, fields: { name } })).toBe('Bob')
    expect(nameOf({ id: 'bob', label: '😀', fields: { name } })).toBe('😀')
  },
)
