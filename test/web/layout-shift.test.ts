import { expect } from 'vitest'
import { test } from './support/chromium.ts'
import { openDemo, showDevices } from './support/demo.ts'
import { noteLayoutShifts } from './support/layout-shifts.ts'
import { openTown } from './support/town.ts'

const sizes = ['desk', 'tablet', 'phone'] as const

test.each(sizes)(
  'at the size of a %s nothing moves while the page loads, with three devices full of people',
  async size => {
    const { page, context, alicesPhone, alicesLaptop, bobsPhone } = await openTown({ size })
    await alicesPhone.row('Carmen Ruiz').waitFor()
    const shiftsOn = await noteLayoutShifts(context)
    await page.reload()
    for (const device of [alicesPhone, alicesLaptop, bobsPhone]) await device.isInStep()
    await alicesPhone.row('Carmen Ruiz').getByRole('img', { name: 'online' }).waitFor()
    expect(await shiftsOn(page)).toEqual([])
  },
)

test.each(sizes)(
  'at the size of a %s nothing moves from the first paint of the welcome to the end of the story',
  async size => {
    const { page, context } = await openDemo({ size })
    const shiftsOn = await noteLayoutShifts(context)
    await page.reload()
    await page.getByRole('button', { name: 'Begin the story' }).click()
    const story = page.getByRole('region', { name: 'Guided story' })
    for (let step = 1; step <= 6; step++) {
      await story.getByRole('button', { name: 'Do it' }).click()
      await story.getByRole('button', { name: step < 6 ? 'Next step' : 'What you saw' }).click()
    }
    await story.getByText('What to do next').waitFor()
    expect(await shiftsOn(page)).toEqual([])
  },
)

test('what moves is noticed: a text that comes above others is counted', async () => {
  const { page, context } = await openDemo()
  const shiftsOn = await noteLayoutShifts(context)
  await showDevices(page, [{ user: 'alice', device: 'phone' }])
  await page.getByRole('searchbox').waitFor()
  await page.evaluate(() => document.querySelector('.page-header')?.prepend('A line. '.repeat(100)))
  await expect.poll(async () => (await shiftsOn(page)).length).toBeGreaterThan(0)
})
