import type { Locator } from 'playwright-core'
import { expect } from 'vitest'
import { test } from './support/chromium.ts'
import { bidiId, bidiName, longWord } from './support/full-house.ts'
import { fullPage } from './support/full-page.ts'

test.each(['desk', 'desk at 200 %', 'phone', 'small phone'] as const)(
  'at the size of a %s, with any names and fields, nothing covers a text, leaves its card or changes order',
  async size => {
    const { looks, house, alice } = await fullPage(size)
    const { card } = alice
    await card.getByRole('row').nth(house.people.size).waitFor()
    await looks.at('contacts')

    for (const id of house.people.keys()) {
      await alice.press(card.locator(`[role=row][data-key="${id}"]`))
      // Beside the list, the previous contact's page stays until this contact's page is ready.
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
    await alice.press(card.locator(`[role=row][data-key="${bidiId}"]`))
    await card.getByRole('button', { name: 'Message', exact: true }).click()
    await card.locator('.message[data-state=received]').waitFor()
    await looks.at('message')
    await card.getByRole('button', { name: 'Back' }).click()
    await alice.backToContacts()
    await card.getByRole('searchbox').fill(`${bidiName} nobody such ${longWord}`)
    await card.getByText('No contact matches').waitFor()
    await looks.at('nobody')
    await card.getByRole('button', { name: 'Clear the search' }).click()
    expect(await card.getByRole('searchbox').inputValue()).toBe('')

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
    const panel = page.getByRole('region', { name: 'What happened' })
    await panel.getByRole('button', { name: 'The way of this change' }).last().click()
    await panel.getByText('Filter', { exact: true }).click()
    await looks.at('the-way')
    for (const depth of ['Messages', 'Bytes']) {
      await panel.getByRole('radiogroup', { name: 'Detail' }).getByText(depth).click()
      await looks.at(depth)
    }
    await page.getByRole('button', { name: 'Guided story' }).click()
    await page.getByRole('region', { name: 'Guided story' }).waitFor()
    await looks.at('story')
    expect(looks.found).toEqual([])
  },
)
