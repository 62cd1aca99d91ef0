import { expect } from 'vitest'
import { axeFinds } from './support/axe.ts'
import { test } from './support/chromium.ts'
import { openDemo, showThree, threeDevices } from './support/demo.ts'
import { screenshot } from './support/screenshot.ts'
import { allowStorage, emptyStorage, fillStorage, limitStorage, refuseStorage } from './support/storage.ts'

test.each(['deletes one', 'clears all'] as const)(
  '[D1][D3] the browser %s of the databases under a live tab: the page says so, and nothing that waits is lost',
  async how => {
    const { page, context, server, complaints, alicesPhone, alicesLaptop } = await threeDevices()
    complaints.expect(/Another connection wants to delete database 'kith-demo:/)
    await alicesPhone.add('bob\ncarol\ndan', { circles: ['Friends'] })
    await alicesLaptop.row('Dan').waitFor()
    await alicesPhone.goOffline()
    await alicesPhone.openContact('Bob')
    await alicesPhone.switchCircle('Friends')
    await alicesPhone.says(/^Offline · 1 change waiting/)
    await alicesPhone.block()
    await alicesPhone.says(/^Offline · 2 changes waiting/)
    await alicesPhone.backToContacts()
    if (how === 'deletes one') {
      await page.evaluate(() => void indexedDB.deleteDatabase('kith-demo:alice:phone'))
    } else {
      const session = await context.newCDPSession(page)
      await session.send('Storage.clearDataForOrigin', { origin: server.url, storageTypes: 'indexeddb' })
    }
    await alicesPhone.card.getByText(/The browser deleted the storage/).waitFor()
    await screenshot(page, `storage-${how.replace(' ', '-')}`)
    expect(await axeFinds(page)).toEqual([])

    for (const isReloaded of [false, true]) {
      if (isReloaded) await page.reload()
      await alicesPhone.row('Dan').waitFor()
      await alicesPhone.row('Bob').filter({ hasText: 'Blocked' }).waitFor()
      expect([await alicesPhone.levelsOf('Bob'), await alicesPhone.levelsOf('Dan')]).toEqual(['', '1'])
      await alicesPhone.says(/^Offline · 2 changes waiting/)
    }
    await alicesPhone.comeBack()
    await alicesLaptop.row('Bob').filter({ hasText: 'Blocked' }).waitFor()
    expect([await alicesLaptop.levelsOf('Bob'), await alicesLaptop.levelsOf('Dan')]).toEqual(['', '1'])
  },
)

test('[D1][D5] when storage is full the page says so, changes nothing, and goes on when there is room again', async () => {
  const demo = await openDemo()
  const { page, device } = demo
  await limitStorage(demo)
  await showThree(page)
  const [phone, laptop] = [device('Alice’s phone'), device('Alice’s laptop')]
  await phone.isInStep()
  await phone.add('bob')
  await phone.openContact('Bob')
  await laptop.row('Bob').waitFor()
  await laptop.isInStep()
  await fillStorage(page)
  const friends = phone.card.getByRole('switch', { name: 'Friends' })
  await phone.switchCircle('Friends')
  await phone.card.getByRole('alert').filter({ hasText: 'no room left' }).waitFor()
  expect(await friends.isChecked()).toBe(false)
  await screenshot(page, 'storage-full')
  expect(await axeFinds(page)).toEqual([])

  await emptyStorage(page)
  await phone.isInStep()
  await phone.switchCircle('Friends')
  await expect.poll(() => laptop.levelsOf('Bob'), { message: 'the level, on the other device' }).toBe('1')
  await phone.isInStep()
  expect(await friends.isChecked()).toBe(true)
  expect(await phone.card.getByRole('alert').count()).toBe(0)
})

test('when the browser refuses storage the page says so, and opens the device once it is allowed', async () => {
  const demo = await openDemo()
  const { page } = demo
  await refuseStorage(demo, 'throws')
  await page.goto('/#alice/phone') // The page loads anew for it.
  const phone = demo.device('Alice’s phone')
  await phone.card.getByRole('alert').filter({ hasText: 'The browser refuses storage' }).waitFor()
  await screenshot(page, 'storage-refused')
  expect(await axeFinds(page)).toEqual([])
  await allowStorage(page)
  await phone.card.getByRole('button', { name: 'Try again' }).click()
  await phone.isInStep()
})

test('when the browser’s storage never answers the page says so after a while, and opens the device once it does', async () => {
  const demo = await openDemo()
  const { page } = demo
  await refuseStorage(demo, 'is silent')
  await page.clock.install()
  await page.goto('/#alice/phone') // The page loads anew for it.
  const phone = demo.device('Alice’s phone')
  await phone.card.getByText('Opening what is on this device…').waitFor()
  await page.clock.fastForward(30_000)
  await phone.card.getByRole('alert').filter({ hasText: 'storage does not answer' }).waitFor()
  await screenshot(page, 'storage-silent')
  await allowStorage(page)
  await phone.card.getByRole('button', { name: 'Try again' }).click()
  await phone.isInStep()
})
