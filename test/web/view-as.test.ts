import { expect } from 'vitest'
import { test } from './support/chromium.ts'
import { threeDevices } from './support/demo.ts'

test('[V1][V3] “View as” shows what a user sees, and why, during edits', async () => {
  const { alicesPhone: phone, alicesLaptop: laptop } = await threeDevices()
  await phone.add('bob', { levels: ['Work (level 5)'] })
  await laptop.openContact('Bob')
  await phone.goTo('My profile')
  await phone.fill(phone.ownField('Public (level 0)', 'name'), 'Ada')
  await phone.fill(phone.ownField('Friends (level 1)', 'birthday'), '10 December')
  await phone.fill(phone.ownField('Work (level 5)', 'phone'), '+44 1632 960001')
  const preview = phone.card.getByRole('region', { name: 'View as' })
  const says = (words: string): Promise<void> => preview.getByText(words, { exact: true }).waitFor()
  const fields = (): Promise<string[]> => preview.getByRole('definition').allInnerTexts()

  await says('Somebody you don’t know sees Public (level 0).')
  await expect.poll(fields).toEqual(['Ada'])
  await preview.getByLabel('Whose eyes to look through').fill('bob')
  await says('Bob sees Public (level 0), Work (level 5).')
  await expect.poll(fields).toEqual(['Ada', '+44 1632 960001'])

  await phone.ownField('Work (level 5)', 'phone').fill('+44 1632 960002')
  await phone.ownField('Work (level 5)', 'phone').press('Tab')
  await expect.poll(fields, { message: 'the number that was just typed' }).toEqual(['Ada', '+44 1632 960002'])
  await laptop.switchLevel('Friends (level 1)')
  await says('Bob sees Public (level 0), Friends (level 1), Work (level 5).')
  await expect.poll(fields).toEqual(['10 December', 'Ada', '+44 1632 960002'])

  await phone.card.getByText('Only those I gave a level').click()
  await preview.getByLabel('Whose eyes to look through').fill('carol')
  await says('Carol sees nothing: you gave them no level, and your public level is not for them.')
  await expect.poll(fields).toEqual([])
  await preview.getByLabel('Whose eyes to look through').fill('bob')
  await says('Bob sees Public (level 0), Friends (level 1), Work (level 5).')
  await laptop.toggle('Block')
  await says('Bob sees nothing: you have blocked them.')
  await expect.poll(fields).toEqual([])
})
