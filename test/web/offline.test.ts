import { expect } from 'vitest'
import { test } from './support/chromium.ts'
import { noServer } from './support/complaints.ts'
import { threeDevices } from './support/demo.ts'

test('[R2][R4] two devices edit the same contact offline: both show the union and the block when they are back', async () => {
  const { alicesPhone, alicesLaptop } = await threeDevices()
  await alicesPhone.add('bob', { levels: ['Public (level 0)', 'Friends (level 1)'] })
  await alicesLaptop.row('Bob').waitFor()
  await alicesLaptop.isInStep()
  await alicesPhone.goOffline()
  await alicesLaptop.goOffline()
  await alicesPhone.add('bob', { levels: ['Public (level 0)', 'Family (level 2)'], overwrites: true })
  await alicesPhone.add('carol')
  await alicesPhone.says(/^Offline · 2 changes waiting on this device$/)
  await alicesLaptop.openContact('Bob')
  await alicesLaptop.switchLevel('Work (level 5)')
  await alicesLaptop.toggle('Block')
  await alicesLaptop.says(/^Offline · 2 changes waiting on this device$/)
  await alicesLaptop.backToContacts()
  expect(await alicesPhone.levelsOf('Bob')).toBe('0 2')
  expect(await alicesLaptop.levelsOf('Bob')).toBe('0 1 5')
  expect(await alicesLaptop.row('Carol').count()).toBe(0)

  await alicesPhone.comeBack()
  await alicesLaptop.comeBack()
  for (const device of [alicesPhone, alicesLaptop]) {
    await device.row('Bob').filter({ hasText: 'Blocked' }).waitFor()
    await device.row('Carol').waitFor()
    await expect.poll(() => device.levelsOf('Bob'), { message: 'the union of the levels' }).toBe('0 2 5')
  }
})

test('[D1] a reload while offline keeps contacts, the own profile and the number of changes that wait', async () => {
  const { page, alicesPhone, alicesLaptop } = await threeDevices()
  await alicesPhone.goOffline()
  await alicesPhone.add('bob\ncarol', { levels: ['Friends (level 1)'] })
  await alicesPhone.goTo('My profile')
  await alicesPhone.fill(alicesPhone.ownField('Work (level 5)', 'phone'), '+44 1632 960001')
  const everythingIsHere = async (): Promise<void> => {
    await alicesPhone.row('Carol').waitFor()
    expect(await alicesPhone.levelsOf('Bob')).toBe('1')
    await alicesPhone.goTo('My profile')
    const phoneNumber = alicesPhone.ownField('Work (level 5)', 'phone')
    await expect.poll(() => phoneNumber.inputValue(), { message: 'the own number' }).toBe('+44 1632 960001')
  }
  await alicesPhone.says(/^Offline · 2 changes waiting on this device$/)
  await page.reload()
  await alicesPhone.says(/^Offline · 2 changes waiting on this device$/)
  await everythingIsHere()
  await alicesPhone.goTo('Contacts')
  await alicesPhone.comeBack()
  await everythingIsHere()
  await alicesLaptop.row('Carol').waitFor()
})

test('[D1] a reload while the server is away keeps what waits, and sends it when the server is back', async () => {
  const { page, complaints, alicesPhone } = await threeDevices()
  complaints.expect(noServer)
  await alicesPhone.goOffline()
  await alicesPhone.add('bob')
  await alicesPhone.says(/^Offline · 1 change waiting on this device$/)
  const tokens = '**/demo/tokens'
  let attempts = 0
  await page.route(tokens, route => {
    attempts++
    return route.abort()
  })
  await alicesPhone.switchOnline()
  await expect.poll(() => attempts, { message: 'attempts to connect', timeout: 20_000 }).toBeGreaterThan(2)
  await alicesPhone.says(/^Looking for the server · 1 change waiting on this device$/)
  expect(await alicesPhone.card.getByRole('switch', { name: 'Online' }).isChecked()).toBe(true)
  expect(await alicesPhone.card.getByText('Could not get a token').count()).toBe(1)
  await page.reload()
  await alicesPhone.row('Bob').waitFor()
  await alicesPhone.says(/^Looking for the server · 1 change waiting on this device$/)
  await page.unroute(tokens)
  await alicesPhone.isInStep()
})
