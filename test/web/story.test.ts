import { expect } from 'vitest'
import { test } from './support/chromium.ts'
import { openDemo, threeDevices } from './support/demo.ts'
import { type Shift, watchLayoutShifts } from './support/layout-shifts.ts'
import { screenshot } from './support/screenshot.ts'

const steps = ['Edit on both, offline', 'Merge', 'Grant', 'Revoke while offline', 'Block', 'Join']

test.each(['desk', 'phone'] as const)(
  'at the size of a %s each step of the guided story comes true as told',
  async size => {
    const { page } = await openDemo({ size })
    await page.getByRole('button', { name: 'Begin the story' }).click()
    const story = page.getByRole('region', { name: 'Guided story' })
    const shifts: Shift[] = []
    for (const [index, title] of steps.entries()) {
      await story.getByRole('heading', { name: title, exact: true }).waitFor()
      const moved = await watchLayoutShifts(page)
      await story.getByRole('button', { name: 'Do it' }).click()
      const onwards = story.getByRole('button', { name: index < steps.length - 1 ? 'Next step' : 'Look around' })
      await onwards.waitFor()
      shifts.push(...(await moved()))
      const claims = await story.getByRole('listitem').allInnerTexts()
      expect(claims.length).toBeGreaterThan(0)
      for (const claim of claims) expect(claim).toMatch(/^✓/)
      await screenshot(page, `story-${size}-${index + 1}`)
      await onwards.click()
    }
    await story.waitFor({ state: 'detached' })
    // A field that comes or goes moves what stands below it, by a line or two; nothing else moves.
    expect(shifts.reduce((sum, { value }) => sum + value, 0)).toBeLessThan(0.02)
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
