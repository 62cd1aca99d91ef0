import type { CDPSession } from 'playwright-core'
import { expect } from 'vitest'
import { test } from './support/chromium.ts'
import { type Demo, openDemo } from './support/demo.ts'
import type { DeviceCard } from './support/device-card.ts'

/** Alice's phone with the 5,000 people that the page generates. */
async function phoneWithManyContacts(): Promise<Demo & { phone: DeviceCard }> {
  const demo = await openDemo({ at: '/#alice/phone' })
  const phone = demo.device('Alice’s phone')
  await phone.makeUpPeople()
  await demo.page.getByPlaceholder('Search 5,000 contacts').waitFor()
  return { ...demo, phone }
}

test('among 5,000 contacts a search finds one, and the keyboard goes to the end and back', async () => {
  const { page, phone } = await phoneWithManyContacts()
  const search = phone.card.getByRole('searchbox')
  await search.fill('KAYA grace 48')
  await expect.poll(() => phone.card.getByRole('row').count(), { message: 'how many are found' }).toBe(1)
  await phone.row('grace.kaya.4840@example.org').waitFor()
  await search.fill('nobody such')
  await phone.card.getByText('No contact matches “nobody such”.').waitFor()
  await search.fill('')
  await phone.row('ada.adeyemi.0@example.org').waitFor()

  const focused = (): Promise<string | null> => phone.card.locator('[role=row]:focus').textContent()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  expect(await focused()).toMatch(/ada\.adeyemi\.0@/)
  await page.keyboard.press('End')
  expect(await focused()).toMatch(/kofi\.moreau\.4874@/)
  await page.keyboard.press('ArrowUp')
  expect(await focused()).toMatch(/kofi\.moreau\.4679@/)
  await page.keyboard.press('Enter')
  await phone.card.getByRole('heading', { name: 'kofi.moreau.4679@example.org', exact: true }).waitFor()
  await phone.backToContacts()
  await expect.poll(focused, { message: 'the list is where it was left' }).toMatch(/kofi\.moreau\.4679@/)
})

test('a new search shows what it finds from the top, and so does the list when a search ends', async () => {
  const { phone } = await phoneWithManyContacts()
  const search = phone.card.getByRole('searchbox')
  const list = phone.card.getByRole('grid')
  const scrollAway = async (): Promise<void> => {
    await list.evaluate(element => {
      element.scrollTop = 9_000
    })
    await phone.row('ada.adeyemi.0@example.org').waitFor({ state: 'detached' })
  }
  await scrollAway()
  await search.fill('ada')
  await phone.row('ada.adeyemi.0@example.org').waitFor()
  expect(await list.evaluate(({ scrollTop }) => scrollTop)).toBe(0)
  await scrollAway()
  await search.fill('')
  await phone.row('ada.adeyemi.0@example.org').waitFor()
  expect(await list.evaluate(({ scrollTop }) => scrollTop)).toBe(0)
})

test('a press and a drag on the letters at the edge go to the first name of a letter, and typed letters go to a name', async () => {
  const { page, phone } = await phoneWithManyContacts()
  const index = phone.card.locator('.letter-index')
  const letters = await index.locator('span').allInnerTexts()
  expect(letters).toEqual([...'ABCDEFGHIJK'])
  const topRow = (): Promise<string | null> =>
    phone.card.getByRole('grid').evaluate(list => {
      const { left, top } = list.getBoundingClientRect()
      return document.elementFromPoint(left + 100, top + 20)?.closest('[role=row]')?.textContent ?? null
    })
  const box = await index.boundingBox()
  if (!box) throw new Error('there is no index')
  const over = (letter: string): [number, number] => {
    return [box.x + box.width / 2, box.y + ((letters.indexOf(letter) + 0.5) / letters.length) * box.height]
  }
  await page.mouse.move(...over('G'))
  await page.mouse.down()
  await expect.poll(topRow).toMatch(/^G.*grace\.adeyemi\.10@/)
  await page.mouse.move(...over('D'))
  await expect.poll(topRow).toMatch(/^D.*dorothy\.adeyemi\.7@/)
  await page.mouse.move(box.x, box.y + box.height + 200)
  await expect.poll(topRow).toMatch(/^K.*kofi\.adeyemi\.14@/)
  await page.mouse.up()
  await page.mouse.move(...over('A'))
  expect(await topRow()).toMatch(/^K/)

  await phone.card.getByRole('searchbox').focus()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.type('hedy.bau')
  const focused = (): Promise<string | null> => phone.card.locator('[role=row]:focus').textContent()
  await expect.poll(focused).toMatch(/hedy\.bauer/)
})

test('scrolling through 5,000 contacts keeps few rows on the page, and a step is short work', async () => {
  const { page, phone } = await phoneWithManyContacts()
  const list = phone.card.getByRole('grid')
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const scrollBy = (pixels: number): Promise<number> =>
    list.evaluate(async (element, by) => {
      element.scrollTop += by
      await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      return element.querySelectorAll('[role=row]').length
    }, pixels)

  const steps: number[] = []
  for (let step = 0; step < 40; step++) {
    const before = await busyMs(session)
    expect(await scrollBy(300)).toBeLessThan(60)
    steps.push((await busyMs(session)) - before)
  }
  // The median, because garbage collection takes some of the turns. `npm run bench -- page-scroll` measures frames.
  expect(steps.sort((a, b) => a - b)[20]).toBeLessThan(50)
  for (let step = 0; step < 20; step++) expect(await scrollBy(16_000)).toBeLessThan(60)
  await phone.row('kofi.moreau.4874@example.org').waitFor()
})

/**
 * Returns how long the page's main thread was busy so far, in its own processor time: other work on the machine does not count.
 */
async function busyMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics')
  return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN) * 1000
}
