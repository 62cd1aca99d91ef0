import { expect } from 'vitest'
import { test } from './support/chromium.ts'
import { openDemo } from './support/demo.ts'
import { isFocused, tabTo } from './support/keyboard.ts'

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

test('with the keyboard only, a user goes through the whole story, and never loses the focus', async () => {
  const { page } = await openDemo()
  const { keyboard } = page
  const story = page.getByRole('region', { name: 'Guided story' })
  await tabTo(page, page.getByRole('button', { name: 'Begin the story' }))
  await keyboard.press('Enter')
  await expect.poll(() => page.evaluate(isFocusIn, 'story')).toBe(true)
  for (const onwards of [...Array<string>(5).fill('Next step'), 'What you saw']) {
    await tabTo(page, story.getByRole('button', { name: 'Do it' }))
    await keyboard.press('Enter')
    await story.getByRole('button', { name: onwards }).waitFor()
    expect(await page.evaluate(isFocusIn, 'story')).toBe(true)
    if (!(await story.getByRole('button', { name: onwards }).evaluate(isFocused)))
      await tabTo(page, story.getByRole('button', { name: onwards }))
    await keyboard.press('Enter')
    await expect.poll(() => story.getByRole('heading', { level: 2 }).evaluate(isFocused)).toBe(true)
  }
  await tabTo(page, story.getByRole('button', { name: 'Stay with these devices' }))
  await keyboard.press('Enter')
  await story.waitFor({ state: 'detached' })
  expect(await page.evaluate(() => document.activeElement !== document.body)).toBe(true)
})

function isFocusIn(className: string): boolean {
  return document.activeElement?.closest(`.${className}`) !== null
}
