import type { Locator } from 'playwright-core'
import { expect } from 'vitest'
import { test } from './support/chromium.ts'
import { openDemo, sizes, threeDevices } from './support/demo.ts'
import { type Shift, watchLayoutShifts } from './support/layout-shifts.ts'
import { screenshot } from './support/screenshot.ts'

/** What each step is called, and where there is something to see of it. */
const steps = [
  ['Edit on both, offline', 'Alice’s phone'],
  ['Merge', 'Alice’s phone'],
  ['Grant', 'Bob’s phone'],
  ['Revoke while offline', 'Bob’s phone'],
  ['Block', 'Bob’s phone'],
  ['Join', 'Alice’s phone'],
] as const

test.each(['desk', 'phone'] as const)(
  'at the size of a %s each step of the guided story happens as described',
  async size => {
    const { page, device } = await openDemo({ size })
    await page.getByRole('button', { name: 'Begin the story' }).click()
    const story = page.getByRole('region', { name: 'Guided story' })
    const shifts: Shift[] = []
    for (const [index, [title, place]] of steps.entries()) {
      await story.getByRole('heading', { name: title, exact: true }).waitFor()
      const movedSoFar = await watchLayoutShifts(page)
      await story.getByRole('button', { name: 'Do it' }).click()
      const onwards = story.getByRole('button', { name: index < steps.length - 1 ? 'Next step' : 'Look around' })
      await onwards.waitFor()
      shifts.push(...(await movedSoFar()))
      const claims = await story.getByRole('listitem').allInnerTexts()
      expect(claims.length).toBeGreaterThan(0)
      for (const claim of claims) expect(claim).toMatch(/^✓/)
      const { x, width } = await boxOf(device(place).card)
      expect([x >= 0, x + width <= sizes[size].width]).toEqual([true, true])
      await screenshot(page, `story-${size}-${index + 1}`)
      await onwards.click()
    }
    await story.waitFor({ state: 'detached' })
    // What is said in the middle of a button, and notices on top of each other; the page itself stays where it is.
    const mayMove = ['text in primary', 'notices']
    expect(shifts.filter(({ moved }) => !moved.every(what => mayMove.includes(what)))).toEqual([])
  },
)

test.each(['desk', 'phone'] as const)(
  'at the size of a %s nothing moves when a device goes offline, waits and is back',
  async size => {
    const { page, alicesPhone, bobsPhone } = await threeDevices({ size })
    await alicesPhone.add('bob')
    await alicesPhone.isInStep()
    await bobsPhone.isInStep()
    const moved = await watchLayoutShifts(page)
    await alicesPhone.goOffline()
    await alicesPhone.openContact('Bob')
    await alicesPhone.switchLevel('Friends (level 1)')
    await alicesPhone.says(/^Offline · 1 change waiting on this device$/)
    await alicesPhone.comeBack()
    await alicesPhone.backToContacts()
    await alicesPhone.row('Bob').waitFor()
    expect(await moved()).toEqual([])
  },
)

test('leaving the story shows the devices from before the story', async () => {
  const { page, complaints, alicesPhone, alicesLaptop, bobsPhone } = await threeDevices()
  complaints.expect(/WebSocket is closed before the connection is established/) // One can leave at any time.
  await page.getByRole('button', { name: 'Guided story' }).click()
  await page
    .getByText(/@tale-/)
    .first()
    .waitFor()
  await page.getByRole('button', { name: 'Leave the story' }).click()
  await page.getByText(/bob@tale-/).waitFor({ state: 'detached' })
  for (const device of [alicesPhone, alicesLaptop, bobsPhone]) await device.isInStep()
  expect(await page.getByText(/@tale-/).count()).toBe(0)
  expect(await page.getByRole('region', { name: /’s (phone|laptop)$/ }).count()).toBe(3)
})

async function boxOf(element: Locator): Promise<{ x: number; width: number }> {
  const box = await element.boundingBox()
  if (!box) throw new Error(`${element} is not shown`)
  return box
}
