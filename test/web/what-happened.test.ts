import { test } from './support/chromium.ts'
import { threeDevices } from './support/demo.ts'

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
