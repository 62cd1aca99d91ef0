import { decodeFrame } from '@kith/shared/wire'
import { expect } from 'vitest'
import { test } from './support/chromium.ts'
import { openDemo, threeDevices } from './support/demo.ts'

test('“What happened” describes grants, checks, withdrawals and disk writes, with bytes', async () => {
  const { page, alicesPhone, bobsPhone } = await threeDevices()
  const log = page.getByRole('list', { name: 'What happened, newest last' })
  const tells = (words: RegExp): Promise<void> => {
    const entry = log.getByRole('listitem').filter({ hasText: words })
    return entry
      .filter({ hasText: / · [\d,]+ bytes/ })
      .last()
      .waitFor()
  }
  await page.getByRole('radiogroup', { name: 'Detail' }).getByText('Messages').click()
  await alicesPhone.goTo('My profile')
  await alicesPhone.fill(alicesPhone.ownField('Work', 'Phone'), '+44 1632 960001')
  await tells(/^Alice’s phone sent 1 field \(phone at level 5\)/)
  await alicesPhone.goTo('Contacts')
  await bobsPhone.add('alice')
  await alicesPhone.add('bob', { circles: ['Friends', 'Work'] })
  await tells(/^Alice’s phone sent 1 contact \(Bob\), 2 grants \(levels 1 and 5 to Bob\), 1 follow \(Bob\)/)
  await tells(/^Alice’s laptop got 1 contact \(Bob\), 2 grants .* from another of Alice’s devices/)
  await tells(/^The server checked what Bob’s phone may see of Alice: now levels 1 and 5; still level 0/)
  await tells(/^Bob’s phone got Alice’s level 5: phone/)
  await page.getByText('Filter', { exact: true }).click()
  await page.getByText('Questions and heartbeats too').click()
  await tells(/^Alice’s phone asks: is everything so far on disk\?/)
  await tells(/^All that Alice’s phone sent is on the server’s disk/)

  await page.getByRole('region', { name: 'What happened' }).getByRole('button', { name: 'Clear' }).click()
  await log.getByText('Nothing yet.').waitFor()
  await alicesPhone.openContact('Bob')
  await alicesPhone.switchCircle('Work')
  await tells(/^Alice’s phone sent the withdrawal of 1 grant \(level 5 from Bob\)/)
  await tells(
    /^The server checked what Bob’s phone may see of Alice: level 5 no longer; withdrew it; still levels 0 and 1/,
  )
})

test('“What happened” tells a change in plain words, folds what is alike, and shows the way of the change and why a device did not get it', async () => {
  const { page, alicesPhone, bobsPhone } = await threeDevices()
  const log = page.getByRole('list', { name: 'What happened, newest last' })
  await bobsPhone.add('alice')
  await alicesPhone.add('bob', { circles: ['Friends'] })
  await alicesPhone.goTo('My profile')
  await alicesPhone.fill(alicesPhone.ownField('Work', 'Phone'), '+44 1632 960001')
  await alicesPhone.isInStep()
  const change = log.getByRole('listitem').filter({ hasText: 'Alice’s phone sent a change: Phone in Work' })
  await change.getByRole('button', { name: 'The way of this change' }).click()
  const way = change.getByRole('list')
  await way.getByText('Server: written to its disk').waitFor()
  await way.getByText('Alice’s laptop got it').waitFor()
  await way.getByText('Bob’s phone did not: not in Work').waitFor()
  await alicesPhone.fill(alicesPhone.ownField('Friends', 'Birthday'), '10 December')
  const other = log.getByRole('listitem').filter({ hasText: 'Alice’s phone sent a change: Birthday in Friends' })
  await other.getByRole('button', { name: 'The way of this change' }).click()
  await other.getByRole('list').getByText('Bob’s phone got it').waitFor()
})

test('“What happened” shows what is asked for: by device, by person and by kind', async () => {
  const { page, alicesPhone, bobsPhone } = await threeDevices()
  await bobsPhone.add('alice')
  await alicesPhone.add('carol')
  await bobsPhone.openContact('Alice')
  await bobsPhone.card.getByRole('button', { name: 'Message', exact: true }).click()
  await bobsPhone.card.getByLabel('Message to').fill('Tea at four?')
  await bobsPhone.card.getByRole('button', { name: 'Send' }).click()
  await bobsPhone.card.getByText(/Delivered$/).waitFor()
  const panel = page.getByRole('region', { name: 'What happened' })
  const texts = (): Promise<string[]> => panel.locator('.entry > p:first-child').allInnerTexts()
  await panel.getByText('Filter', { exact: true }).click()

  await panel.getByLabel('Device').selectOption('Bob’s phone')
  await expect.poll(async () => (await texts()).filter(text => !text.includes('Bob’s phone'))).toEqual([])
  expect((await texts()).length).toBeGreaterThan(3)
  await panel.getByLabel('Device').selectOption('All')
  await panel.getByLabel('Person').selectOption('Carol')
  await expect.poll(async () => (await texts()).filter(text => !text.includes('Carol'))).toEqual([])
  expect(await texts()).toContain('Alice’s phone sent a change: Carol added, follows Carol')
  await panel.getByLabel('Person').selectOption('All')
  await panel.getByLabel('Kind').selectOption('Messages')
  await expect
    .poll(async () => (await texts()).sort())
    .toEqual([
      'Alice’s laptop got a message from Bob',
      'Alice’s phone got a message from Bob',
      'Bob’s phone sends a message to Alice',
      'The message of Bob’s phone: delivered',
    ])
  await panel.getByLabel('Device').selectOption('Alice’s laptop')
  await expect.poll(texts).toEqual(['Alice’s laptop got a message from Bob'])
  await panel.getByLabel('Kind').selectOption('Problems')
  await panel.getByText('Nothing yet.').waitFor()
})

test('“What happened” has three depths: the same message in words, as a message, and as the bytes that went over the wire', async () => {
  const { page, alicesPhone } = await threeDevices()
  await alicesPhone.add('bob')
  await alicesPhone.openContact('Bob')
  await alicesPhone.card.getByRole('button', { name: 'Message', exact: true }).click()
  await alicesPhone.card.getByLabel('Message to').fill('Tea at four?')
  await alicesPhone.card.getByRole('button', { name: 'Send' }).click()
  await alicesPhone.card.getByText(/Delivered$/).waitFor()
  const panel = page.getByRole('region', { name: 'What happened' })
  const depth = (name: string): Promise<void> =>
    panel.getByRole('radiogroup', { name: 'Detail' }).getByText(name).click()
  const entry = (text: string) => panel.locator('.entry').filter({ hasText: text })
  await entry('Alice’s phone sends a message to Bob').waitFor()
  expect(await panel.locator('pre').count()).toBe(0)
  await depth('Messages')
  await entry('Alice’s phone sends Bob a message: “Tea at four?”').waitFor()
  expect(await panel.locator('pre').count()).toBe(0)
  await depth('Bytes')
  const hex = (await entry('Alice’s phone sends Bob a message').locator('pre').textContent()) ?? ''
  const frame = decodeFrame(Uint8Array.from(hex.trim().split(/\s+/), byte => Number.parseInt(byte, 16)))
  expect(frame).toMatchObject({ type: 'sendMessage', to: 'bob', text: 'Tea at four?' })
})

test('“What happened” folds a large batch into a few lines, and unfolds what is alike', async () => {
  const { page, device } = await openDemo()
  await page.getByRole('button', { name: 'Open the town' }).click()
  const laptop = device('Alice’s laptop')
  await laptop.isInStep()
  await laptop.row('Carmen Ruiz').getByRole('img', { name: 'online' }).waitFor()
  const panel = page.getByRole('region', { name: 'What happened' })
  await panel.getByText('Filter', { exact: true }).click()
  await panel.getByLabel('Device').selectOption('Alice’s laptop')
  const words = await panel.locator('.entry').count()
  await panel.getByRole('radiogroup', { name: 'Detail' }).getByText('Messages').click()
  await expect.poll(() => panel.locator('.entry').count()).toBeGreaterThan(words)
  await panel.getByRole('radiogroup', { name: 'Detail' }).getByText('Words').click()
  const folded = panel
    .locator('.entry')
    .filter({ hasText: /Show all \d+/ })
    .first()
  const unfold = folded.getByRole('button', { name: /Show all \d+/ })
  const alike = (await unfold.textContent()) ?? ''
  const count = Number.parseInt(alike.replace(/\D+/, ''), 10)
  expect(await folded.locator('.entry-bytes').count()).toBe(1)
  await unfold.click()
  const unfolded = panel.locator('.entry').filter({ has: page.getByRole('button', { expanded: true }) })
  await expect.poll(() => unfolded.locator('.entry-bytes').count()).toBe(count)
  await unfolded.getByRole('button', { name: 'Show fewer' }).click()
  await expect.poll(() => folded.locator('.entry-bytes').count()).toBe(1)
})

test('“What happened” names what a change overwrote, also when that was there before the page was loaded', async () => {
  const { page, alicesPhone } = await threeDevices()
  await alicesPhone.add('bob', { circles: ['Friends', 'Work'] })
  await alicesPhone.goTo('My profile')
  await alicesPhone.fill(alicesPhone.ownField('Work', 'Phone'), '+44 1632 960001')
  const log = page.getByRole('list', { name: 'What happened, newest last' })
  const change = log.getByRole('listitem').filter({ hasText: 'Alice’s phone sent a change: Phone in Work' })
  await change.waitFor()
  await alicesPhone.isInStep()
  await page.reload()
  await alicesPhone.isInStep()
  await log.getByText('The server knows Alice’s phone').waitFor()
  expect(await change.count()).toBe(0)
  await alicesPhone.fill(alicesPhone.ownField('Work', 'Phone'), '+44 1632 960002')
  await change.getByRole('button', { name: 'The way of this change' }).click()
  await change.getByText('Bob’s phone got it').waitFor()
  await alicesPhone.goTo('Contacts')
  await alicesPhone.openContact('Bob')
  await alicesPhone.switchCircle('Work')
  await log.getByText('Alice’s phone sent a change: Bob taken out of Work').waitFor()
})
