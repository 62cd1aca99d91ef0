import { expect } from 'vitest'
import { axeFinds } from './support/axe.ts'
import { test } from './support/chromium.ts'
import { noServer } from './support/complaints.ts'
import { type ThreeDevices, threeDevices } from './support/demo.ts'
import { screenshot } from './support/screenshot.ts'

/** Bob gives Alice a level and follows her. Her account is erased, and Bob looks at the result. */
async function handedOver(size: 'desk' | 'phone' = 'desk'): Promise<ThreeDevices> {
  const demo = await threeDevices({ size })
  const { server, bobsPhone, complaints } = demo
  // The server closes the sockets of an erased account, and a device may be sending.
  complaints.expect(noServer)
  await bobsPhone.add('alice', { circles: ['Work'] })
  await bobsPhone.isInStep()
  expect(await server.admin('DELETE', '/v1/users/alice')).toBe(204)
  await bobsPhone.row('Alice').getByText('May be another person now').waitFor()
  await bobsPhone.openContact('Alice')
  return demo
}

test('[D7] a contact whose number changed hands is marked in the list and on its page, and confirming it ends that', async () => {
  const { page, bobsPhone } = await handedOver()
  const warning = bobsPhone.card.getByRole('group', { name: 'The account of Alice has ended' })
  await warning.waitFor()
  await bobsPhone.card.getByText('Alice sees Everyone.', { exact: true }).waitFor()
  await screenshot(page, 'changed-hands')
  expect(await axeFinds(page)).toEqual([])
  await warning.getByRole('button', { name: 'I know this person' }).click()
  await warning.waitFor({ state: 'detached' })
  await bobsPhone.card.getByText('Alice sees Everyone, Work.', { exact: true }).waitFor()
  await bobsPhone.backToContacts()
  await bobsPhone.row('Alice').waitFor()
  await bobsPhone.row('Alice').getByText('May be another person now').waitFor({ state: 'detached' })
})

test('[D7] a contact whose number changed hands is removed from its page', async () => {
  const { page, bobsPhone } = await handedOver('phone')
  const warning = bobsPhone.card.getByRole('group', { name: 'The account of Alice has ended' })
  await warning.scrollIntoViewIfNeeded()
  await screenshot(page, 'changed-hands-phone')
  expect(await axeFinds(page)).toEqual([])
  await warning.getByRole('button', { name: 'Remove' }).click()
  await bobsPhone.row('Alice').waitFor({ state: 'detached' })
})

test('[D7] the devices of an erased account say so, and begin a new one when their user asks', async () => {
  const { page, alicesPhone, alicesLaptop } = await handedOver()
  for (const device of [alicesPhone, alicesLaptop]) {
    await device.card.getByText('The account was erased, so this device deleted what it had.').waitFor()
  }
  await screenshot(page, 'account-erased')
  expect(await axeFinds(page)).toEqual([])
  await alicesPhone.card.getByRole('button', { name: 'Start again, empty' }).click()
  await alicesPhone.isInStep()
})
