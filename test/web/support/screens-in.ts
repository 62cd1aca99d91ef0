import { ar } from '../../../examples/web/src/texts/ar.ts'
import type { Texts } from '../../../examples/web/src/texts/en.ts'
import type { DeviceCard } from './device-card.ts'

/** The action at each screen: the screen is checked, or a picture is taken. */
interface Looks {
  at(name: string): Promise<void>
}

/** Visits the screens of one device, in any language. `person`: the contact whose page is shown. */
export async function screens({ card }: DeviceCard, t: Texts, person: string, looks: Looks): Promise<void> {
  await looks.at('contacts')
  await card.locator(`[role=row][data-key="${person}"]`).click()
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

/** Visits the dialogs and menus of one device and of the page, in any language. */
export async function dialogs({ page, card }: DeviceCard, t: Texts, looks: Looks): Promise<void> {
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

/** Returns the heading of a device. On a right-to-left page, all words of other people are isolated. */
export function titleIn(t: Texts, person: string, device: string): string {
  const isolated = (words: string): string => (t === ar ? `\u2068${words}\u2069` : words)
  return t.device.title(person, device).replace(person, isolated(person)).replace(device, isolated(device))
}
