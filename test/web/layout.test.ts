import type { Locator } from 'playwright-core'
import { expect } from 'vitest'
import { test } from './support/chromium.ts'
import { type Demo, openDemo, type sizes } from './support/demo.ts'
import { bidiId, bidiName, fullHouse, longWord } from './support/full-house.ts'
import { screenshot } from './support/screenshot.ts'
import { smallTargets } from './support/targets.ts'
import { misplacedBoxes } from './support/text-boxes.ts'
import { disorderedTexts } from './support/text-order.ts'

/** What is wrong on any page that was looked at: drawn over something else, out of its card, in another order, or too small for a finger. */
class AccessedProfiles {
  readonly found: string[] = []
  readonly #demo: Demo
  readonly #size: string

  constructor(demo: Demo, size: string) {
    this.#demo = demo
    this.#size = size.replace(/\W+/g, '-')
  }

  async at(name: string): Promise<void> {
    const { page } = this.#demo
    await screenshot(page, `layout-${this.#size}-${name}`)
    const findings = [...(await misplacedBoxes(page)), ...(await disorderedTexts(page)), ...(await smallTargets(page))]
    this.found.push(...findings.slice(0, 5).map(finding => `${name}: ${finding}`))
  }
}

/** The page with devices of Alice and of users with long names and names from right to left, on a server with a full house. */
async function fullPage(size: keyof typeof sizes) {
  const demo = await openDemo({ size })
  const { page, server } = demo
  const looks = new AccessedProfiles(demo, size)
  await page.getByRole('heading', { name: 'Your contacts' }).waitFor()
  await looks.at('welcome')
  const house = await fullHouse(server.url)
  const devices = [
    { user: 'alice', device: 'phone' },
    { user: bidiId, device: `${bidiName} ${longWord}` },
    { user: `${longWord}@example.org`, device: longWord.slice(0, 40) },
  ]
  await page.evaluate(text => localStorage.setItem('kith-demo:devices', text), JSON.stringify(devices))
  await page.reload()
  const alice = demo.device('Alice’s phone')
  await alice.isInStep()
  return { ...demo, looks, house, alice }
}

test.each(['desk', 'desk at 200 %', 'phone', 'small phone'] as const)(
  'at the size of a %s, with any names and fields, nothing covers a text, leaves its card or changes order',
  async size => {
    const { looks, house, alice } = await fullPage(size)
    const { card } = alice
    await card.getByRole('row').nth(house.people.size).waitFor()
    await looks.at('contacts')

    for (const id of house.people.keys()) {
      await card.locator(`[role=row][data-key="${id}"]`).click()
      // Beside the list, the page of the contact before is there until this one's is.
      await card.locator('.person-head').filter({ hasText: id }).waitFor()
      await card.getByText('Birthday', { exact: true }).first().waitFor()
      await looks.at(`person-${[...house.people.keys()].indexOf(id) + 1}`)
      await card.getByRole('button', { name: 'Message', exact: true }).click()
      await card.getByLabel('Message to').fill('hello')
      await card.getByRole('button', { name: 'Send' }).click()
      await card.getByText(/Delivered$/).waitFor()
      await looks.at(`talk-${[...house.people.keys()].indexOf(id) + 1}`)
      await card.getByRole('button', { name: 'Back' }).click()
      await alice.backToContacts()
    }
    const message = `${bidiName} ${longWord} ${'and many words more '.repeat(20)}`
    for (const kith of house.people.values()) expect(await kith.send('alice', message)).toBe('delivered')
    await card.locator('.notice').waitFor()
    await looks.at('notices')
    await card.locator(`[role=row][data-key="${bidiId}"]`).click()
    await card.getByRole('button', { name: 'Message', exact: true }).click()
    await card.locator('.message[data-state=received]').waitFor()
    await looks.at('message')
    await card.getByRole('button', { name: 'Back' }).click()
    await alice.backToContacts()
    await card.getByRole('searchbox').fill(`${bidiName} nobody such ${longWord}`)
    await card.getByText('No contact matches').waitFor()
    await looks.at('nobody')
    await card.getByRole('searchbox').fill('')

    await alice.goTo('My profile')
    await alice.previewAs(bidiId)
    await card.getByText('Add a field').click()
    await looks.at('own-profile')
    await alice.goTo('Settings')
    await looks.at('settings')
    await alice.goTo('Contacts')
    expect(looks.found).toEqual([])
  },
)

test('in German nothing covers a text or leaves its card either', async () => {
  const { page, looks, house } = await fullPage('small phone')
  await page.evaluate(() => localStorage.setItem('kith-demo:language', 'de'))
  await page.reload()
  const card = page.getByRole('region', { name: 'Alice: phone' })
  await card.getByText('Auf dem Server gespeichert').waitFor()
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('de')
  await looks.at('german-contacts')
  const [first] = house.people.keys()
  await card.locator(`[role=row][data-key="${first}"]`).click()
  await card.getByText('Geburtstag', { exact: true }).first().waitFor()
  await looks.at('german-person')
  await card.getByRole('tab', { name: 'Mein Profil' }).click()
  await looks.at('german-profile')
  await card.getByRole('tab', { name: 'Einstellungen' }).click()
  await looks.at('german-settings')
  expect(looks.found).toEqual([])
})

test.each(['desk', 'phone', 'small phone'] as const)(
  'at the size of a %s dialogs, menus and the story hold long names and words too',
  async size => {
    const { page, looks, alice } = await fullPage(size)
    const close = async (what: Locator): Promise<void> => {
      await page.keyboard.press('Escape')
      await what.waitFor({ state: 'detached' })
    }
    await alice.card.getByRole('button', { name: 'Add', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Add several at once' }).click()
    await dialog
      .getByLabel('User names, one in each line')
      .fill([longWord, bidiId, `${bidiName}\u0000`, longWord.repeat(3)].join('\n'))
    await dialog.getByRole('button', { name: 'Add', exact: true }).click()
    await dialog.getByRole('alert').waitFor()
    await looks.at('add-people')
    await close(dialog)

    for (const index of [1, 2]) {
      await page.getByRole('button', { name: 'More for' }).nth(index).click()
      await page.getByRole('menuitem').first().waitFor()
      await looks.at(`menu-${index}`)
      await page.getByRole('menuitem', { name: 'Erase' }).click()
      await page.getByRole('alertdialog').waitFor()
      await looks.at(`erase-${index}`)
      await close(page.getByRole('alertdialog'))
    }
    await page.getByRole('button', { name: 'Add a device' }).click()
    await page.getByRole('dialog').waitFor()
    await looks.at('add-device')
    await close(page.getByRole('dialog'))
    await page.getByRole('button', { name: 'Guided story' }).click()
    await page.getByRole('region', { name: 'Guided story' }).waitFor()
    await looks.at('story')
    expect(looks.found).toEqual([])
  },
)
