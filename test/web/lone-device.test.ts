import { expect } from 'vitest'
import { test } from './support/chromium.ts'
import { openDemo, showDevices, sizes } from './support/demo.ts'

test('a lone device fills the desk: a person’s page opens beside the list, which stays in use', async () => {
  const { page, device } = await openDemo()
  await showDevices(page, [{ user: 'alice', device: 'phone' }])
  const phone = device('Alice’s phone')
  await phone.isInStep()
  await phone.add('bob\ncarol')
  await phone.openContact('Bob')
  const [card, list, person, panel] = await Promise.all(
    [
      phone.card,
      phone.card.locator('.contacts'),
      phone.card.locator('.person-page'),
      page.getByRole('region', { name: 'What happened' }),
    ].map(async one => (await one.boundingBox()) ?? { x: 0, width: 0 }),
  )
  if (!(card && list && person && panel)) throw new Error('something is not shown')
  expect(card.width + panel.width).toBeGreaterThan(sizes.desk.width - 60)
  expect(list.x + list.width).toBeLessThanOrEqual(person.x + 1)
  expect(list.width + person.width).toBeGreaterThan(card.width - 10)
  await phone.openContact('Carol')
})
