import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { test } from './support/chromium.ts'
import { openDemo } from './support/demo.ts'

test('with the keyboard only, a user signs in, adds a contact, opens it, grants a level, blocks it and goes back', async () => {
  const { page, device } = await openDemo({ size: 'phone' })
  const { keyboard } = page
  const alice = device('Alice’s phone')
  const { card } = alice

  await tabTo(page, page.getByLabel('User name'))
  await keyboard.type('alice')
  await keyboard.press('Enter')
  await alice.isInStep()

  await tabTo(page, card.getByRole('button', { name: 'Add', exact: true }))
  await keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await keyboard.type('bob')
  await tabTo(page, page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }))
  await keyboard.press('Enter')
  await alice.row('Bob').waitFor()

  await tabTo(page, alice.row('Bob'))
  await keyboard.press('Enter')
  await expect.poll(() => card.getByRole('heading', { name: 'Bob', exact: true }).evaluate(isFocused)).toBe(true)
  await tabTo(page, card.getByRole('switch', { name: 'Family' }))
  await keyboard.press('Space')
  await tabTo(page, card.getByRole('button', { name: 'Block', exact: true }), 'Shift+Tab')
  await keyboard.press('Enter')
  await page.getByRole('alertdialog').waitFor()
  await tabTo(page, page.getByRole('alertdialog').getByRole('button', { name: 'Block Bob' }))
  await keyboard.press('Enter')
  await card.getByText('You have blocked Bob.').waitFor()
  await tabTo(page, card.getByRole('button', { name: 'Unblock' }), 'Shift+Tab')
  await keyboard.press('Escape')
  await alice.row('Bob').filter({ hasText: 'Blocked' }).waitFor()
  expect(await alice.levelsOf('Bob')).toBe('2')
  await alice.isInStep()

  await tabTo(page, card.getByRole('tab', { name: 'Contacts' }), 'Shift+Tab')
  await keyboard.press('ArrowRight')
  await keyboard.press('ArrowRight')
  await tabTo(page, card.getByRole('radio', { name: 'Everyone', exact: true }))
  await keyboard.press('ArrowDown')
  await expect.poll(() => card.getByRole('radio', { name: 'My contacts', exact: true }).isChecked()).toBe(true)
})

/** Presses Tab until this has the focus, which must show: at most as often as the page has places to go to. */
async function tabTo(page: Page, wanted: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  const passed: string[] = []
  for (let press = 0; press < 30; press++) {
    await page.keyboard.press(key)
    passed.push(await page.locator(':focus').evaluateAll(([element]) => element?.outerHTML.slice(0, 60) ?? 'nothing'))
    if ((await wanted.count()) === 0 || !(await wanted.evaluate(isFocused))) continue
    expect(await page.evaluate(isFocusSeen), `${wanted} shows that it has the focus`).toBe(true)
    return
  }
  throw new Error(`${key} does not come to ${wanted}, but to:\n${passed.join('\n')}`)
}

function isFocused(element: Element): boolean {
  return element === document.activeElement
}

/** Something has an outline: what has the focus, or what stands for a box that is hidden itself. */
function isFocusSeen(): boolean {
  const candidates = document.querySelectorAll(':focus-visible, [data-focus-visible], [data-focus-visible] *')
  return [...candidates].some(element => {
    const isHiddenBox = element.matches('[type=checkbox], [type=radio]')
    return !isHiddenBox && getComputedStyle(element).outlineStyle !== 'none'
  })
}
