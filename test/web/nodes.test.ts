import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { findPrograms } from '@kith/local-postgres'
import type { Locator } from 'playwright-core'
import { expect, onTestFinished, test as skipped } from 'vitest'
import { browser, test } from './support/chromium.ts'
import { Complaints, noServer } from './support/complaints.ts'
import { showDevices } from './support/demo.ts'
import { DeviceCard } from './support/device-card.ts'

const program = fileURLToPath(new URL('../../examples/run.js', import.meta.url))
const patienceMs = 60_000

/** Where no PostgreSQL can be had it is skipped, and fails when `CI` is set. */
const canRun = (await findPrograms()) !== undefined || process.env['CI'] !== undefined

const testOfNodes = canRun ? test : skipped.skip

testOfNodes(
  'the page of several nodes shows which device is on which, kills a node, and its devices go on on another',
  { timeout: 240_000 },
  async () => {
    const address = await startExample()
    const context = await (await browser()).newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB' })
    context.setDefaultTimeout(patienceMs)
    const complaints = new Complaints(context)
    // What a killed node leaves: connections that end, and are tried again.
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
    // Users go to the nodes in turn.
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

/** Runs `npm run example -- cluster page`, and gives the address that it prints. */
async function startExample(): Promise<string> {
  const child: ChildProcess = spawn(process.execPath, [program, 'cluster', 'page'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await exited
  })
  if (child.stdout) {
    for await (const line of createInterface({ input: child.stdout })) {
      const [address] = /http:\/\/127\.0\.0\.1:\d+\/\?nodes/.exec(line) ?? []
      if (address !== undefined) return address
    }
  }
  throw new Error('the example ended before it printed an address')
}
