import type { Kith } from '@kith/client'
import { expect } from 'vitest'
import { citizens, grantsOf, userIdOf } from '../../examples/web/src/town/people.ts'
import { installation } from '../support/devices.ts'
import { test } from './support/chromium.ts'
import { demoToken } from './support/demo-token.ts'
import { openTown } from './support/town.ts'

test('in the town each of twelve people has a profile, a picture of their own and circles, as another device of theirs gets them from the server', async () => {
  const { server } = await openTown()
  const pictures = new Set<string>()
  expect(citizens.length).toBe(12)
  for (const { id, name, about } of citizens) {
    const kith = await deviceOf(server.url, id)
    expect(kith.ownProfile.merged([0])).toMatchObject({ name, about })
    pictures.add(Buffer.from(kith.ownProfile.get('picture') as Uint8Array).toString('base64'))
    const grants = grantsOf(id)
    expect(grants.size).toBeGreaterThan(0)
    for (const [other, levels] of grants) {
      const theirs = citizens.find(citizen => citizen.id === other)
      const profile = kith.getProfile(userIdOf(other))
      expect(profile.accessLevels, `${id} has ${other} in circles`).toEqual(levels)
      // What these people show in return: the birthday is for friends, the home for family, the number for both family and
      // work.
      const isIn = (level: number): boolean => grantsOf(other).get(id)?.includes(level) ?? false
      const shown = (field: 'name' | 'birthday' | 'home' | 'phone', may: boolean) => (may ? theirs?.[field] : undefined)
      const { name, birthday, home, phone } = profile.fields
      expect({ name, birthday, home, phone }, `${other} shows ${id}`).toEqual({
        ...{ name: shown('name', true), birthday: shown('birthday', isIn(1)) },
        ...{ home: shown('home', isIn(2)), phone: shown('phone', isIn(2) || isIn(5)) },
      })
    }
  }
  expect(pictures.size).toBe(12)
})

test('the town is alive at first sight: drawn pictures, names, circles and presence, and a neighbour who answers', async () => {
  const { alicesPhone, alicesLaptop, bobsPhone } = await openTown()
  for (const device of [alicesPhone, alicesLaptop]) {
    await expect
      .poll(() => device.card.getByRole('row').count(), { message: 'Alice’s contacts' })
      .toBe(grantsOf('alice').size)
  }
  await expect
    .poll(() => bobsPhone.card.getByRole('row').count(), { message: 'Bob’s contacts' })
    .toBe(grantsOf('bob').size)
  const pictures = alicesPhone.card.locator('.contact-row img.picture')
  await expect.poll(() => pictures.count()).toBe(grantsOf('alice').size)
  const widths = await pictures.evaluateAll(all => all.map(one => (one as HTMLImageElement).naturalWidth))
  expect(new Set(widths)).toEqual(new Set([160]))
  await alicesPhone.row('Carmen Ruiz').getByRole('img', { name: 'online' }).waitFor()
  expect(await alicesPhone.levelsOf('Zoë O’Brien')).toBe('1 5')
  await alicesPhone.openContact('Carmen Ruiz')
  await alicesPhone.card.getByRole('button', { name: 'Message', exact: true }).click()
  await alicesPhone.card.getByLabel('Message to').fill('Is there school on Monday?')
  await alicesPhone.card.getByRole('button', { name: 'Send' }).click()
  await alicesPhone.card.locator('.message[data-state=received]').filter({ hasText: 'Thank you!' }).waitFor()
})

test('the town is opened a second time as its people left it', async () => {
  const { server, page, alicesPhone } = await openTown()
  await alicesPhone.goTo('My profile')
  await alicesPhone.fill(alicesPhone.ownField('Everyone', 'Name'), 'Alice Hart-Ruiz')
  // The line that everything is saved may still be that of before the edit.
  const before = await deviceOf(server.url, 'alice')
  await expect.poll(() => before.ownProfile.get('name')).toBe('Alice Hart-Ruiz')
  await page.evaluate(() => localStorage.setItem('kith-demo:devices', '[]'))
  await page.goto(server.url)
  await page.getByRole('button', { name: 'Open the town' }).click()
  await alicesPhone.isInStep()
  const alice = await deviceOf(server.url, 'alice')
  expect(alice.ownProfile.get('name')).toBe('Alice Hart-Ruiz')
})

/** Returns another device of a citizen, outside the browser, in step with the server. */
async function deviceOf(url: string, id: string): Promise<Kith> {
  const user = userIdOf(id)
  const kith = await installation(user, {
    ...{ url: url.replace('http', 'ws'), token: () => demoToken(url, user), connect: true },
  }).open()
  for (const other of grantsOf(id).keys()) kith.getProfile(userIdOf(other))
  await kith.whenSynced()
  return kith
}
