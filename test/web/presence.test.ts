import { test } from './support/chromium.ts'
import { threeDevices } from './support/demo.ts'

test('presence is shown beside the name, and disappears when the user hides it', async () => {
  const { alicesPhone, bobsPhone } = await threeDevices()
  await alicesPhone.add('bob')
  const dot = alicesPhone.row('Bob').getByRole('img', { name: 'online' })
  await dot.waitFor()
  await bobsPhone.goTo('Settings')
  await bobsPhone.toggle('Hide when I am online')
  await dot.waitFor({ state: 'detached' })
})

test('[V1] a user who blocks another is no longer shown as online', async () => {
  const { alicesPhone, bobsPhone } = await threeDevices()
  await alicesPhone.add('bob')
  const dot = alicesPhone.row('Bob').getByRole('img', { name: 'online' })
  await dot.waitFor()
  await bobsPhone.add('alice')
  await bobsPhone.openContact('Alice')
  await bobsPhone.block()
  await dot.waitFor({ state: 'detached' })
})
