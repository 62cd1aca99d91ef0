import type { Locator } from 'playwright-core'
import { expect } from 'vitest'
import { heardIn } from './support/accessibility-tree.ts'
import { test } from './support/chromium.ts'
import { openDemo, showDevices, sizes, threeDevices } from './support/demo.ts'
import { type Shift, watchLayoutShifts } from './support/layout-shifts.ts'
import { screenshot } from './support/screenshot.ts'

/**
 * The title of each step, the device on which its last change is seen, and the drawing of the line from there to the server.
 */
const steps = [
  ['Change both, offline', 'Alice’s laptop', 'cut'],
  ['Merge', 'Alice’s phone', 'down'],
  ['Show', 'Bob’s phone', 'down'],
  ['Take back while offline', 'Bob’s phone', 'stopped'],
  ['Block', 'Bob’s phone', 'stopped'],
  ['Join', 'Alice’s phone', 'down'],
] as const

test.each(['desk', 'phone'] as const)(
  'at the size of a %s each step of the guided story happens as described, and shows on which device',
  async size => {
    const { page, device } = await openDemo({ size })
    await page.getByRole('button', { name: 'Begin the story' }).click()
    const story = page.getByRole('region', { name: 'Guided story' })
    const shifts: Shift[] = []
    for (const [index, [title, place, line]] of steps.entries()) {
      await story.getByRole('heading', { name: title, exact: true }).waitFor()
      const movedSoFar = await watchLayoutShifts(page)
      await story.getByRole('button', { name: 'Do it' }).click()
      const onwards = story.getByRole('button', { name: index < steps.length - 1 ? 'Next step' : 'What you saw' })
      await onwards.waitFor()
      shifts.push(...(await movedSoFar()))
      const claims = await story.locator('.claim').allInnerTexts()
      expect(claims.length).toBeGreaterThan(0)
      for (const claim of claims) expect(claim).toMatch(/^✓/)
      expect(await device(place).card.getAttribute('data-highlighted')).toBe('true')
      const now = story.locator('.scene > [data-now="true"]')
      expect(await now.locator('.scene-name').textContent()).toContain(place)
      expect(await now.locator('.scene-line').getAttribute('data-line')).toBe(line)
      const { x, width } = await boxOf(device(place).card)
      expect([x >= 0, x + width <= sizes[size].width]).toEqual([true, true])
      await screenshot(page, `story-${size}-${index + 1}`)
      await onwards.click()
    }
    await story.getByText('After you take a field back, later values of it are never sent to that person.').waitFor()
    await screenshot(page, `story-${size}-end`)
    await story.getByRole('button', { name: 'Stay with these devices' }).click()
    await story.waitFor({ state: 'detached' })
    expect(shifts).toEqual([])
  },
)

test('a screen reader hears what the story shows: steps, devices, what is on each, and what came true', async () => {
  const { page } = await openDemo()
  await page.getByRole('button', { name: 'Begin the story' }).click()
  const story = page.getByRole('region', { name: 'Guided story' })
  for (const [index, [title]] of steps.entries()) {
    await story.getByRole('heading', { name: title, exact: true }).waitFor()
    await story.getByRole('button', { name: 'Do it' }).click()
    const onwards = index < steps.length - 1 ? 'Next step' : 'What you saw'
    await story.getByRole('button', { name: onwards }).waitFor()
    const heard = await heardIn(page, 'Guided story')
    if (index === 0)
      expect(heard).toMatchInlineSnapshot(`
      [
        "text: Step 1 of 6",
        "heading: Change both, offline",
        "text: Alice’s phone and laptop lose the network. On the phone she puts Bob in Friends. On the laptop she puts him in Family, and adds Carol, who has not signed up.",
        "status",
        "list: What is where",
        "listitem",
        "text: Alice’s phone",
        "text: offline",
        "text: Bob is in: Friends",
        "list",
        "listitem",
        "text: The phone has Bob in Friends, and its change waits",
        "text: : seen to be true",
        "listitem",
        "text: Alice’s laptop",
        "text: offline",
        "text: Bob is in: Family",
        "list",
        "listitem",
        "text: The laptop has Bob in Family, and its changes wait",
        "text: : seen to be true",
        "listitem",
        "text: Server",
        "listitem",
        "text: Bob’s phone",
        "text: Alice’s number: not shown",
        "button: Leave the story",
        "button: Next step",
      ]
    `)
    expect(heard.slice(0, 2)).toEqual([`text: Step ${index + 1} of 6`, `heading: ${title}`])
    expect(heard).toContain('list: What is where')
    // In a live region, so that it is read when it changes.
    expect(heard).toContain('status')
    const claims = await story.locator('.claim').count()
    expect(heard.filter(line => line === 'text: : seen to be true').length).toBe(claims)
    expect(heard.slice(-2)).toEqual(['button: Leave the story', `button: ${onwards}`])
    // Marks and lines are only for sighted users. Nothing without a name can be pressed.
    expect(heard.filter(line => /[✓✕·↑↓]|button: $/.test(line))).toEqual([])
    await story.getByRole('button', { name: onwards }).click()
  }
  await story.getByText('What to do next').waitFor()
  const end = await heardIn(page, 'Guided story')
  expect(end[0]).toBe('heading: What you saw')
  expect(end).toContain('text: A blocked person sees nothing, as if you had never signed up.')
  expect(end.slice(-2)).toEqual(['button: Leave the story', 'button: Stay with these devices'])
})

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
    await alicesPhone.switchCircle('Friends')
    await alicesPhone.says(/^Offline · 1 change waiting$/)
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

test('a device of the story that its user removes meanwhile is missed by the step that needs it, and by nothing else', async () => {
  const { page, device } = await openDemo()
  await page.getByRole('button', { name: 'Begin the story' }).click()
  const story = page.getByRole('region', { name: 'Guided story' })
  await story.locator('.scene > [data-place="phone"] .scene-said').filter({ hasText: 'Bob' }).waitFor()
  await device('Bob’s phone')
    .card.getByRole('button', { name: /^More for/ })
    .click()
  await page.getByRole('menuitem', { name: 'Remove from this page' }).click()
  await device('Bob’s phone').card.waitFor({ state: 'detached' })
  // The scene looks at the devices several times a second. It looks at the closed device at least twice here.
  await page.evaluate(() => new Promise(resolve => setTimeout(resolve, 500)))
  await story.getByRole('button', { name: 'Do it' }).click()
  await story.getByText('This client was closed').waitFor()
  await story.getByRole('button', { name: 'Leave the story' }).click()
  await story.waitFor({ state: 'detached' })
})

test('leaving the story at once, while it still closes the devices from before it, adds none of its own', async () => {
  const { page, alicesPhone, alicesLaptop, bobsPhone } = await threeDevices()
  await page.evaluate(() => {
    const buttons = (): HTMLButtonElement[] => [...document.querySelectorAll('button')]
    const press = (words: string): void =>
      buttons()
        .find(one => one.textContent === words)
        ?.click()
    press('Guided story')
    const look = new MutationObserver(() => {
      if (!document.querySelector('.story')) return
      look.disconnect()
      press('Leave')
    })
    look.observe(document.body, { subtree: true, childList: true })
  })
  for (const device of [alicesPhone, alicesLaptop, bobsPhone]) await device.isInStep()
  await page.getByRole('region', { name: 'Guided story' }).waitFor({ state: 'detached' })
  expect(await page.locator('.device:not(.what-happened)').count()).toBe(3)
})

test('the story stays until the devices from before it are back: no second story begins without them', async () => {
  const { page, complaints, device } = await openDemo()
  complaints.expect(/WebSocket is closed before the connection is established/)
  await showDevices(page, [{ user: 'zoe', device: 'phone' }])
  await device('Zoe’s phone').isInStep()
  await page.getByRole('button', { name: 'Guided story' }).click()
  const story = page.getByRole('region', { name: 'Guided story' })
  await story.getByRole('button', { name: 'Do it' }).click()
  await story.getByRole('button', { name: 'Next step' }).waitFor()
  const canBegin = page.evaluate(() => {
    const ways = [...document.querySelectorAll('.page-header .buttons button')] as HTMLButtonElement[]
    const begin = ways[0] as HTMLButtonElement
    return new Promise<number>(resolve => {
      const look = new MutationObserver(() => {
        if (begin.disabled) return
        look.disconnect()
        resolve(document.querySelectorAll('.device:not(.what-happened)').length)
      })
      look.observe(document.body, { subtree: true, childList: true, attributes: true })
    })
  })
  await story.getByRole('button', { name: 'Leave the story' }).click()
  expect(await canBegin).toBe(1)
  await device('Zoe’s phone').isInStep()
})

test('a reload in the middle of the story shows the devices from before it; those that stay are there after a reload', async () => {
  const { page, complaints, device } = await openDemo()
  complaints.expect(/WebSocket is closed before the connection is established/)
  await showDevices(page, [{ user: 'zoe', device: 'phone' }])
  await device('Zoe’s phone').isInStep()
  const devices = page.locator('.device:not(.what-happened)')
  const begin = async (): Promise<Locator> => {
    await page.getByRole('button', { name: 'Guided story' }).click()
    await expect.poll(() => devices.count()).toBe(3)
    return page.getByRole('region', { name: 'Guided story' })
  }
  const story = await begin()
  await story.getByRole('button', { name: 'Do it' }).click()
  await story.getByRole('button', { name: 'Next step' }).waitFor()
  await page.reload()
  await device('Zoe’s phone').isInStep()
  expect(await devices.count()).toBe(1)

  await begin()
  for (let step = 1; step <= 6; step++) {
    await story.getByRole('button', { name: 'Do it' }).click()
    await story.getByRole('button', { name: /^(Next step|What you saw)$/ }).click()
  }
  await story.getByRole('button', { name: 'Stay with these devices' }).click()
  await device('Zoe’s phone').isInStep()
  await page.reload()
  await device('Zoe’s phone').isInStep()
  expect(await devices.count()).toBe(5)
})

test('a town that is ready after the story began leaves the devices of the story alone', async () => {
  const { page } = await openDemo()
  const phones = { opened: 0, closed: 0 }
  page.on('websocket', socket => {
    if (!socket.url().includes('elm.example')) return
    phones.opened++
    socket.on('close', () => phones.closed++)
  })
  await page.getByRole('button', { name: 'Open the town' }).click()
  await page.getByRole('button', { name: 'Begin the story' }).click()
  await expect.poll(() => phones.opened, { timeout: 30_000 }).toBe(12)
  await expect.poll(() => phones.closed, { timeout: 30_000 }).toBe(12)
  const story = page.getByRole('region', { name: 'Guided story' })
  await story.getByRole('button', { name: 'Do it' }).click()
  await story.getByRole('button', { name: 'Next step' }).waitFor()
  expect(await page.locator('.device:not(.what-happened)').count()).toBe(3)
})

async function boxOf(element: Locator): Promise<{ x: number; width: number }> {
  const box = await element.boundingBox()
  if (!box) throw new Error(`${element} is not shown`)
  return box
}
