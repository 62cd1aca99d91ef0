import { expect } from 'vitest'
import { test } from './support/chromium.ts'
import { noServer } from './support/complaints.ts'
import { openDemo, showThree, threeDevices } from './support/demo.ts'

test('[R2][R4] two devices edit the same contact offline: both show the union and the block when they are back', async () => {
  const { alicesPhone, alicesLaptop } = await threeDevices()
  await alicesPhone.add('bob', { circles: ['Friends'] })
  await alicesLaptop.row('Bob').waitFor()
  await alicesLaptop.isInStep()
  await alicesPhone.goOffline()
  await alicesLaptop.goOffline()
  await alicesPhone.add('bob', { circles: ['Family'], overwrites: true })
  await alicesPhone.add('carol')
  await alicesPhone.says(/^Offline · 2 changes waiting$/)
  await alicesLaptop.openContact('Bob')
  await alicesLaptop.switchCircle('Work')
  await alicesLaptop.block()
  await alicesLaptop.says(/^Offline · 2 changes waiting$/)
  await alicesLaptop.backToContacts()
  expect(await alicesPhone.levelsOf('Bob')).toBe('2')
  expect(await alicesLaptop.levelsOf('Bob')).toBe('1 5')
  expect(await alicesLaptop.row('Carol').count()).toBe(0)

  await alicesPhone.comeBack()
  await alicesLaptop.comeBack()
  for (const device of [alicesPhone, alicesLaptop]) {
    await device.row('Bob').filter({ hasText: 'Blocked' }).waitFor()
    await device.row('Carol').waitFor()
    await expect.poll(() => device.levelsOf('Bob'), { message: 'the union of the levels' }).toBe('2 5')
  }
})

test('[D1] a reload while offline keeps contacts, the own profile and the number of changes that wait', async () => {
  const { page, alicesPhone, alicesLaptop } = await threeDevices()
  await alicesPhone.goOffline()
  await alicesPhone.add('bob\ncarol', { circles: ['Friends'] })
  await alicesPhone.goTo('My profile')
  await alicesPhone.fill(alicesPhone.ownField('Work', 'Phone'), '+44 1632 960001')
  const everythingIsHere = async (): Promise<void> => {
    await alicesPhone.goTo('Contacts')
    await alicesPhone.row('Carol').waitFor()
    expect(await alicesPhone.levelsOf('Bob')).toBe('1')
    await alicesPhone.goTo('My profile')
    const phoneNumber = alicesPhone.ownField('Work', 'Phone')
    await expect.poll(() => phoneNumber.inputValue(), { message: 'the own number' }).toBe('+44 1632 960001')
  }
  await alicesPhone.says(/^Offline · 2 changes waiting$/)
  await page.reload()
  await alicesPhone.says(/^Offline · 2 changes waiting$/)
  await everythingIsHere()
  await alicesPhone.comeBack()
  await everythingIsHere()
  await alicesLaptop.row('Carol').waitFor()
})

test('[D1] a reload while the server is away keeps what waits, and sends it when the server is back', async () => {
  const { page, complaints, alicesPhone } = await threeDevices()
  complaints.expect(noServer)
  await alicesPhone.goOffline()
  await alicesPhone.add('bob')
  await alicesPhone.says(/^Offline · 1 change waiting$/)
  const tokens = '**/demo/tokens'
  let attempts = 0
  await page.route(tokens, route => {
    attempts++
    return route.abort()
  })
  await alicesPhone.switchOnline()
  await expect.poll(() => attempts, { message: 'attempts to connect', timeout: 20_000 }).toBeGreaterThan(2)
  await alicesPhone.says(/^Looking for the server · 1 change waiting$/)
  expect(await alicesPhone.card.getByRole('switch', { name: 'Online' }).isChecked()).toBe(true)
  expect(await alicesPhone.card.getByText('The server cannot be reached').count()).toBe(1)
  await page.reload()
  await alicesPhone.row('Bob').waitFor()
  await alicesPhone.says(/^Looking for the server · 1 change waiting$/)
  await page.unroute(tokens)
  await alicesPhone.isInStep()
})

test('the page opens without the server, with what is on the device, and can be installed', async () => {
  const { page, context, server, complaints, device } = await openDemo({ hasServiceWorker: true })
  complaints.expect(noServer)
  await showThree(page)
  const phone = device('Alice’s phone')
  await phone.isInStep()
  await phone.add('bob')
  await phone.isInStep()
  await page.evaluate(() => navigator.serviceWorker.ready)
  await server.stop()
  await page.reload()
  await phone.row('Bob').waitFor()
  await phone.says(/^Looking for the server/)
  await phone.add('carol')
  await phone.says(/1 change waiting$/)
  const manifest = await page.evaluate(async () => (await fetch('/manifest.webmanifest')).json())
  expect(manifest).toMatchObject({ display: 'standalone', start_url: '/' })
  const { installabilityErrors } = await (await context.newCDPSession(page)).send('Page.getInstallabilityErrors')
  // Every browser profile of a test counts as a private window.
  expect(installabilityErrors.map(({ errorId }) => errorId)).toEqual(['in-incognito'])
})
