import { test } from './support/chromium.ts'
import { threeDevices } from './support/demo.ts'

test('“What happened” describes grants, checks, withdrawals and disk writes, with bytes', async () => {
  const { page, alicesPhone, bobsPhone } = await threeDevices()
  const log = page.getByRole('list', { name: 'Messages, newest last' })
  const tells = (words: RegExp): Promise<void> => {
    const entry = log.getByRole('listitem').filter({ hasText: words })
    return entry
      .filter({ hasText: / · [\d,]+ bytes$/ })
      .last()
      .waitFor()
  }
  await alicesPhone.goTo('My profile')
  await alicesPhone.fill(alicesPhone.ownField('Work (level 5)', 'phone'), '+44 1632 960001')
  await tells(/^Alice’s phone sent 1 field \(phone at level 5\)/)
  await alicesPhone.goTo('Contacts')
  await bobsPhone.add('alice')
  await alicesPhone.add('bob', { levels: ['Friends (level 1)', 'Work (level 5)'] })
  await tells(/^Alice’s phone sent 1 contact \(Bob\), 2 grants \(levels 1 and 5 to Bob\), 1 follow \(Bob\)/)
  await tells(/^Alice’s laptop got 1 contact \(Bob\), 2 grants .* from another of Alice’s devices/)
  await tells(/^The server checked what Bob’s phone may see of Alice: now levels 1 and 5; still level 0/)
  await tells(/^Bob’s phone got Alice’s level 5: phone/)
  await page.getByText('Questions and heartbeats too').click()
  await tells(/^Alice’s phone asks: is everything so far on disk\?/)
  await tells(/^All that Alice’s phone sent is on the server’s disk/)

  await page.getByRole('region', { name: 'What happened' }).getByRole('button', { name: 'Clear' }).click()
  await log.getByText('Nothing yet.').waitFor()
  await alicesPhone.openContact('Bob')
  await alicesPhone.switchLevel('Work (level 5)')
  await tells(/^Alice’s phone sent the withdrawal of 1 grant \(level 5 from Bob\)/)
  await tells(
    /^The server checked what Bob’s phone may see of Alice: level 5 no longer; withdrew it; still levels 0 and 1/,
  )
})
