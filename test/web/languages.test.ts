import { expect } from 'vitest'
import { ar } from '../../examples/web/src/texts/ar.ts'
import { de } from '../../examples/web/src/texts/de.ts'
import type { Texts } from '../../examples/web/src/texts/en.ts'
import { test } from './support/chromium.ts'
import type { DeviceCard } from './support/device-card.ts'
import { type FullPage, fullPage } from './support/full-page.ts'

const languages = { de, ar }

test.each([
  ['de', 'small phone'],
  ['ar', 'small phone'],
  ['ar', 'desk'],
] as const)('in the language %s at the size of a %s nothing covers a text or leaves its card', async (tag, size) => {
  const t = languages[tag]
  const demo = await fullPage(size)
  const { page, looks } = demo
  await page.evaluate(tag => localStorage.setItem('kith-demo:language', tag), tag)
  await page.reload()
  const alice = demo.device(`${isolated(tag, 'Alice')}: ${isolated(tag, 'phone')}`)
  await alice.card.getByText(t.sync.saved, { exact: true }).waitFor()
  const [lang, dir] = await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir])
  expect([lang, dir]).toEqual([tag, tag === 'ar' ? 'rtl' : 'ltr'])
  await screens(demo, alice, t)
  await dialogs(demo, alice, t)
  await page.getByRole('button', { name: t.page.story, exact: true }).click()
  const story = page.getByRole('region', { name: t.story.label, exact: true })
  await page.locator('.scene-said').filter({ hasText: t.story.bobInNone }).first().waitFor({ state: 'attached' })
  await story.getByRole('button', { name: t.story.go }).click()
  await story.getByRole('button', { name: t.story.next }).waitFor()
  await looks.at(`${tag}-story`)
  expect(looks.found).toEqual([])
})

async function screens({ looks, house }: FullPage, { card }: DeviceCard, t: Texts): Promise<void> {
  await looks.at('contacts')
  const [first] = house.people.keys()
  await card.locator(`[role=row][data-key="${first}"]`).click()
  await card.getByText(t.fields.birthday, { exact: true }).first().waitFor()
  await looks.at('person')
  await card.getByRole('button', { name: t.person.message, exact: true }).click()
  await card.locator('.message-form input').fill('hello')
  await card.getByRole('button', { name: t.talk.send }).click()
  await card.getByText(t.talk.delivered).waitFor()
  await looks.at('talk')
  await card.getByRole('tab', { name: t.device.profile }).click()
  await card.locator('summary').click()
  await looks.at('profile')
  await card.getByRole('tab', { name: t.device.settings }).click()
  await looks.at('settings')
  await card.getByRole('tab', { name: t.device.contacts }).click()
}

async function dialogs({ page, looks }: FullPage, { card }: DeviceCard, t: Texts): Promise<void> {
  const close = async (): Promise<void> => {
    await page.keyboard.press('Escape')
    await page.locator('.overlay, .popover').waitFor({ state: 'detached' })
  }
  await card.getByRole('button', { name: t.contacts.add, exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: t.add.several }).click()
  await looks.at('add')
  await close()
  await page.getByRole('button', { name: t.page.menu }).click()
  await page.getByRole('menuitemradio').first().waitFor()
  await looks.at('page-menu')
  await close()
  await card
    .getByRole('button', {
      name: t.device
        .more('')
        .replace(/[\u2066-\u2069]/g, '')
        .trim(),
    })
    .click()
  await page.getByRole('menuitem', { name: t.device.erase }).click()
  await page.getByRole('alertdialog').waitFor()
  await looks.at('erase')
  await close()
}

/** On a page from right to left all words of others are isolated. */
function isolated(tag: keyof typeof languages, words: string): string {
  return tag === 'ar' ? `\u2068${words}\u2069` : words
}
