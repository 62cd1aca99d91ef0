import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { ar } from '../../examples/web/src/texts/ar.ts'
import { axeFinds } from './support/axe.ts'
import { test } from './support/chromium.ts'
import { type Demo, openDemo, showThree } from './support/demo.ts'
import { screenshot } from './support/screenshot.ts'

test.each(['desk', 'phone'] as const)(
  'at the size of a %s axe finds no violation, in light and in dark mode',
  async size => {
    const demo = await openDemo({ size })
    const { page, device } = demo
    const found: string[] = []
    const look = looksOf(page, size, found)
    await page.getByRole('heading', { name: 'Your contacts' }).waitFor()
    await look('welcome')
    await showThree(page)
    const phone = device('Alice’s phone')
    await phone.isInStep()
    await look('nobody')
    await phone.add('bob\ncarol\nerin@example.org', { circles: ['Friends', 'Work'] })
    await phone.openContact('Carol')
    await phone.block()
    await phone.backToContacts()
    await phone.row('Bob').waitFor()
    await look('contacts')
    await phone.openContact('Bob')
    await look('contact')
    await phone.goTo('My profile')
    await phone.fill(phone.ownField('Everyone', 'Name'), 'Ada')
    await look('own-profile')
    await phone.previewAs('bob')
    await phone.card.getByText('Add a field').click()
    await phone.card.getByRole('group', { name: 'Preview' }).scrollIntoViewIfNeeded()
    await look('preview')
    await phone.goTo('Settings')
    await look('settings')
    await phone.goTo('Contacts')
    await phone.openContact('Bob')
    await phone.card.getByRole('button', { name: 'Message' }).click()
    await phone.card.getByLabel('Message to').fill('hello')
    await phone.card.getByRole('button', { name: 'Send' }).click()
    await phone.card.getByText(/Delivered$/).waitFor()
    await look('conversation')
    await phone.card.getByRole('button', { name: 'Back' }).click()
    await phone.card.getByRole('button', { name: 'Block', exact: true }).click()
    await page.getByRole('alertdialog').waitFor()
    await look('block')
    await page.keyboard.press('Escape')
    await phone.backToContacts()
    await dialogs(demo, look)
    await phone.openContact('Carol')
    await phone.card.getByText('You have blocked').waitFor()
    await look('blocked')
    await whatHappened(demo, look)
    expect(found).toEqual([])
  },
)

test.each(['desk', 'phone'] as const)(
  'at the size of a %s axe finds no violation in the story, in light and in dark mode',
  async size => {
    const { page } = await openDemo({ size })
    const found: string[] = []
    const look = looksOf(page, size, found)
    await page.getByRole('button', { name: 'Guided story' }).click()
    await look('story')
    const story = page.getByRole('region', { name: 'Guided story' })
    for (let step = 1; step <= 6; step++) {
      await story.getByRole('button', { name: 'Do it' }).click()
      await story.getByRole('button', { name: step < 6 ? 'Next step' : 'What you saw' }).waitFor()
      if (step === 1) await look('story-done')
      await story.getByRole('button', { name: step < 6 ? 'Next step' : 'What you saw' }).click()
    }
    await story.getByText('What to do next').waitFor()
    await look('story-end')
    expect(found).toEqual([])
  },
)

test('axe finds no violation in Arabic and dark, in the town, with the same screens open on two devices, and in the story', async () => {
  const { page } = await openDemo()
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.evaluate(() => localStorage.setItem('kith-demo:language', 'ar'))
  await page.reload()
  const found: string[] = []
  const look = async (name: string): Promise<void> => {
    found.push(...(await axeFinds(page)).map(finding => `${name}: ${finding}`))
  }
  await page.getByRole('button', { name: ar.welcome.townButton }).click()
  const phones = page.locator('.device:not(.what-happened)')
  await phones.nth(2).waitFor()
  const [phone, laptop] = [phones.nth(0), phones.nth(1)]
  const both = async (open: (device: Locator) => Promise<void>): Promise<void> => {
    for (const device of [phone, laptop]) await open(device)
  }
  await both(device => device.locator('[role=row][data-key="bob@elm.example"]').click())
  await both(device => device.getByText(ar.fields.birthday, { exact: true }).first().waitFor())
  await look('person')
  await both(device => device.getByRole('tab', { name: ar.device.profile }).click())
  await look('profile')
  await both(device => device.getByRole('tab', { name: ar.device.settings }).click())
  await look('settings')
  await page.getByRole('button', { name: ar.page.story, exact: true }).click()
  const story = page.getByRole('region', { name: ar.story.label, exact: true })
  for (const onwards of [...Array<string>(5).fill(ar.story.next), ar.story.finish]) {
    await story.getByRole('button', { name: ar.story.go }).click()
    await story.getByRole('button', { name: onwards }).waitFor()
    await look('story')
    await story.getByRole('button', { name: onwards }).click()
  }
  await story.getByRole('button', { name: ar.story.end.stay }).waitFor()
  await look('end of the story')
  expect(found).toEqual([])
})

/** Records the findings of axe on the current page, in both colours. */
function looksOf(page: Page, size: string, found: string[]): (name: string) => Promise<void> {
  return async name => {
    for (const colours of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: colours })
      await screenshot(page, `${name}-${size}-${colours}`)
      found.push(...(await axeFinds(page)).map(finding => `${name}, ${colours}: ${finding}`))
    }
  }
}

async function dialogs({ page, device }: Demo, look: (name: string) => Promise<void>): Promise<void> {
  // On a touch screen, a dialog with a text field is hidden until an on-screen keyboard has had time to appear.
  const revealed = async (role: 'dialog' | 'alertdialog'): Promise<void> => {
    await page.getByRole(role).waitFor()
    await page.waitForFunction(() =>
      [...document.querySelectorAll<HTMLElement>('.overlay')].every(({ style }) => style.opacity === ''),
    )
  }
  const close = async (): Promise<void> => {
    await page.keyboard.press('Escape')
    await page.locator('.overlay, .popover').waitFor({ state: 'detached' })
  }
  await page.getByRole('region', { name: 'Alice’s phone' }).getByRole('button', { name: 'Add', exact: true }).click()
  await revealed('dialog')
  await look('add-people')
  await close()
  await device('Alice’s phone').openImport()
  await revealed('dialog')
  await look('import')
  await close()
  await page.getByRole('button', { name: 'Add a device' }).click()
  await revealed('dialog')
  await look('add-device')
  await close()
  await page.getByRole('button', { name: 'More for Alice’s phone' }).click()
  await page.getByRole('menuitem').first().waitFor()
  await look('menu')
  await page.getByRole('menuitem', { name: 'Erase' }).click()
  await revealed('alertdialog')
  await look('erase')
  await close()
}

async function whatHappened({ page }: Demo, look: (name: string) => Promise<void>): Promise<void> {
  const panel = page.getByRole('region', { name: 'What happened' })
  await panel.getByRole('button', { name: 'The way of this change' }).last().click()
  await panel.getByText('Filter', { exact: true }).click()
  await look('the-way')
  await panel.getByRole('radiogroup', { name: 'Detail' }).getByText('Bytes').click()
  await panel.locator('pre').first().waitFor()
  await look('bytes')
}
