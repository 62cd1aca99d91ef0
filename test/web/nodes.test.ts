import type { Locator } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'
import { axeFinds } from './support/axe.ts'
import { browser } from './support/chromium.ts'
import { startExample, testOfNodes } from './support/cluster-page.ts'
import { Complaints, noServer } from './support/complaints.ts'
import { showDevices } from './support/demo.ts'
import { DeviceCard } from './support/device-card.ts'
import { misplacedBoxes } from './support/text-boxes.ts'

const patienceMs = 60_000

testOfNodes(
  'the page of several nodes shows which device is on which, kills a node, and its devices go on on another',
  { timeout: 240_000 },
  async () => {
    const address = await startExample()
    const context = await (await browser()).newContext({
      viewport: { width: 1440, height: 900 },
      locale: 'en-GB',
      reducedMotion: 'reduce',
    })
    context.setDefaultTimeout(patienceMs)
    const complaints = new Complaints(context)
    // Effects of a killed node: connections that end, and retries.
    complaints.expect(noServer, /WebSocket connection to|503|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/)
    onTestFinished(async () => {
      await context.close()
      expect(complaints.unexpected).toEqual([])
    })
    const page = await context.newPage()
    await page.goto(address)
    const users = ['alice', 'bob', 'carol']
    await showDevices(
      page,
      users.map(user => ({ user, device: 'phone' })),
    )
    const [alice, bob, carol] = ['Alice', 'Bob', 'Carol'].map(name => new DeviceCard(page, `${name}’s phone`)) as [
      DeviceCard,
      DeviceCard,
      DeviceCard,
    ]
    for (const device of [alice, bob, carol]) await device.isInStep()
    const cards = page.getByRole('region', { name: 'Nodes of the server' }).getByRole('listitem')
    await expect.poll(() => cards.count()).toBe(3)
    const cardOf = (title: string): Locator => cards.filter({ hasText: title })
    for (const name of ['Alice', 'Bob', 'Carol']) await cardOf(`${name}’s phone`).waitFor()
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      expect(await axeFinds(page)).toEqual([])
    }
    // Users are assigned to the nodes in turn.
    expect(await cards.locator('.node-devices').filter({ hasText: 'no device of this page' }).count()).toBe(0)

    await alice.add('bob', { circles: ['Friends'] })
    await bob.add('alice')
    const before = await cardOf('Bob’s phone').locator('.node-name').textContent()
    await cardOf('Bob’s phone')
      .getByRole('button', { name: /^Kill node/ })
      .click()
    const killed = cards.filter({ hasText: 'killed' })
    await killed.getByText('no device of this page').waitFor()
    await cardOf('Bob’s phone').filter({ hasText: 'running' }).waitFor()
    await page.setViewportSize({ width: 320, height: 568 })
    // The cards are side by side, and scroll.
    const misplaced = (await misplacedBoxes(page)).filter(finding => !finding.includes('sticks out of UL'))
    expect(misplaced).toEqual([])
    await page.setViewportSize({ width: 1440, height: 900 })
    expect(await cardOf('Bob’s phone').locator('.node-name').textContent()).not.toBe(before)

    await alice.goTo('My profile')
    await alice.fill(alice.ownField('Friends', 'Birthday'), '10 December')
    await bob.openContact('Alice')
    await bob.card.getByText('10 December').waitFor()
    await bob.isInStep()

    await killed.getByRole('button', { name: /^Start node/ }).click()
    await killed.waitFor({ state: 'detached' })
    expect(await cards.filter({ hasText: 'running' }).count()).toBe(3)
  },
)
