import type { Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { ar } from '../../../examples/web/src/texts/ar.ts'
import { userIdOf } from '../../../examples/web/src/town/people.ts'
import { browser, test } from '../support/chromium.ts'
import { startExample, testOfNodes } from '../support/cluster-page.ts'
import { sizes as demoSizes, openDemo, showDevices } from '../support/demo.ts'
import { dialogs as dialogsIn, screens as screensIn, titleIn } from '../support/screens-in.ts'
import { openTown, type Town } from '../support/town.ts'
import { Gallery } from './gallery.ts'

const sizes = ['desk', 'tablet', 'phone', 'small phone'] as const

test.each(sizes)('at the size of a %s, every screen in both colours', async size => {
  const town = await openTown({ size })
  const gallery = new Gallery(town.page, size)
  await gallery.begin()
  await screensOfTown(town, gallery)
  await whatHappened(town, gallery)
  const story = await openDemo({ size })
  await screensOfStory(story.page, gallery)
  await gallery.end()
})

test.each(sizes)('at the size of a %s, the screens in Arabic, from right to left', async size => {
  const { page, device } = await openTown({ size })
  await page.evaluate(() => localStorage.setItem('kith-demo:language', 'ar'))
  await page.reload()
  const alice = device(titleIn(ar, 'Alice', 'phone'))
  await alice.card.getByText(ar.sync.saved, { exact: true }).waitFor()
  const gallery = new Gallery(page, `${size} in Arabic`)
  await gallery.begin()
  await screensIn(alice, ar, userIdOf('bob'), gallery)
  await dialogsIn(alice, ar, gallery)
  await page.locator('.device-nav button').last().dispatchEvent('click')
  await gallery.at('what-happened')
  await page.getByRole('button', { name: ar.page.story, exact: true }).click()
  const story = page.getByRole('region', { name: ar.story.label, exact: true })
  await page.locator('.scene-said').filter({ hasText: ar.story.bobInNone }).first().waitFor({ state: 'attached' })
  await gallery.at('story-begins')
  await story.getByRole('button', { name: ar.story.go }).click()
  await story.getByRole('button', { name: ar.story.next }).waitFor()
  await gallery.at('story-1')
  await gallery.end()
})

testOfNodes('at each size, the nodes of a server that runs as several, one of them killed', async () => {
  const address = await startExample()
  const context = await (await browser()).newContext({ locale: 'en-GB', reducedMotion: 'reduce' })
  onTestFinished(() => context.close())
  const page = await context.newPage()
  await page.goto(address)
  await showDevices(
    page,
    ['alice', 'bob', 'carol'].map(user => ({ user, device: 'phone' })),
  )
  const nodes = page.getByRole('region', { name: 'Nodes of the server' })
  await nodes.getByText('Bob’s phone').waitFor()
  await nodes.getByRole('button', { name: 'Kill node 1' }).click()
  await nodes.getByText('killed').waitFor()
  const gallery = new Gallery(page, 'nodes')
  await gallery.begin()
  for (const size of sizes) {
    await page.setViewportSize(demoSizes[size])
    await gallery.at(size.replace(' ', '-'))
  }
  await gallery.end()
})

async function screensOfTown(town: Town, gallery: Gallery): Promise<void> {
  const { page, alicesPhone: phone } = town
  await phone.row('Carmen Ruiz').waitFor()
  await gallery.at('contacts')
  await phone.openContact('Bob Lindgren')
  await phone.card.getByText('2 March').waitFor()
  await gallery.at('person')
  await phone.card.getByRole('button', { name: 'Circles' }).click()
  await gallery.at('person-circles')
  await phone.card.getByRole('button', { name: 'Block', exact: true }).click()
  await revealed(page)
  await gallery.at('block')
  await close(page)
  await phone.block()
  await phone.card.getByText('You have blocked').waitFor()
  await gallery.at('blocked')
  await phone.card.getByRole('button', { name: 'Undo' }).click()
  await phone.backToContacts()
  await conversation(town, gallery)
  await phone.card.getByRole('searchbox').fill('har')
  await phone.row('Carmen Ruiz').waitFor({ state: 'detached' })
  await gallery.at('search')
  await phone.card.getByRole('searchbox').fill('')
  await phone.goTo('My profile')
  await gallery.at('profile')
  await phone.previewAs('bob@elm.example')
  await phone.card.getByRole('group', { name: 'Preview' }).scrollIntoViewIfNeeded()
  await gallery.at('profile-preview')
  await phone.goTo('Settings')
  await gallery.at('settings')
  await phone.card.getByRole('button', { name: 'Erase this device' }).scrollIntoViewIfNeeded()
  await gallery.at('settings-end')
  await phone.goTo('Contacts')
  await phone.goOffline()
  await gallery.at('offline')
  await phone.comeBack()
  await dialogs(town, gallery)
}

async function conversation({ alicesPhone: phone, bobsPhone }: Town, gallery: Gallery): Promise<void> {
  await phone.openContact('Bob Lindgren')
  await phone.card.getByRole('button', { name: 'Message', exact: true }).click()
  await gallery.at('conversation-empty')
  const write = async (device: typeof phone, text: string): Promise<void> => {
    await device.card.getByLabel('Message to').fill(text)
    await device.card.getByRole('button', { name: 'Send' }).click()
    await device.card
      .getByText(/Delivered$/)
      .last()
      .waitFor()
  }
  await write(phone, 'Do you have two loaves left?')
  await bobsPhone.row('Alice Hart').waitFor()
  await gallery.at('news')
  await bobsPhone.openContact('Alice Hart')
  await bobsPhone.card.getByRole('button', { name: 'Message', exact: true }).click()
  await write(bobsPhone, 'One rye, and a walnut one that I like too much to sell. For you, yes. Come before noon.')
  await write(phone, 'On my way!')
  await gallery.at('conversation')
  await phone.card.getByRole('button', { name: 'Back' }).click()
  await phone.backToContacts()
  await bobsPhone.card.getByRole('button', { name: 'Back' }).click()
  await bobsPhone.backToContacts()
}

async function dialogs({ page, alicesPhone: phone, device }: Town, gallery: Gallery): Promise<void> {
  await phone.card.getByRole('button', { name: 'Add', exact: true }).click()
  await revealed(page)
  await gallery.at('add')
  await page.getByRole('dialog').getByRole('button', { name: 'Add several at once' }).click()
  await gallery.at('add-several')
  await close(page)
  await device('Alice’s phone').openImport()
  await revealed(page)
  await gallery.at('import')
  await close(page)
  await page.getByRole('button', { name: 'Add a device' }).click()
  await revealed(page)
  await gallery.at('add-device')
  await close(page)
  await page.getByRole('button', { name: 'More for Alice’s phone' }).click()
  await page.getByRole('menuitem').first().waitFor()
  await gallery.at('menu')
  await page.getByRole('menuitem', { name: 'Erase' }).click()
  await revealed(page)
  await gallery.at('erase')
  await close(page)
  await page.getByRole('button', { name: 'Page settings' }).click()
  await page.getByRole('menuitemradio').first().waitFor()
  await gallery.at('page-settings')
  await close(page)
}

async function whatHappened({ page, alicesPhone: phone }: Town, gallery: Gallery): Promise<void> {
  await phone.goTo('My profile')
  await phone.fill(phone.ownField('Work', 'Phone'), '+44 1632 960099')
  await phone.isInStep()
  const panel = page.getByRole('region', { name: 'What happened' })
  await panel.scrollIntoViewIfNeeded()
  const change = panel.getByRole('listitem').filter({ hasText: 'sent a change: Phone in Work' })
  await change.scrollIntoViewIfNeeded()
  await gallery.at('what-happened')
  await change.getByRole('button', { name: 'The way of this change' }).click()
  await change.getByRole('list').last().scrollIntoViewIfNeeded()
  await gallery.at('the-way')
  await panel.getByText('Filter', { exact: true }).click()
  await gallery.at('filters')
  await panel.getByText('Filter', { exact: true }).click()
  for (const depth of ['Messages', 'Bytes']) {
    await panel.getByRole('radiogroup', { name: 'Detail' }).getByText(depth).click()
    await gallery.at(depth.toLowerCase())
  }
}

async function screensOfStory(page: Page, gallery: Gallery): Promise<void> {
  gallery.page = page
  await page.getByRole('heading', { name: 'Your contacts' }).waitFor()
  await gallery.at('welcome')
  await page.getByRole('button', { name: 'Begin the story' }).click()
  const story = page.getByRole('region', { name: 'Guided story' })
  await story
    .getByText(/Bob is in/)
    .first()
    .waitFor()
  await gallery.at('story-begins')
  for (let step = 1; step <= 6; step++) {
    await story.getByRole('button', { name: 'Do it' }).click()
    const onwards = story.getByRole('button', { name: step < 6 ? 'Next step' : 'What you saw' })
    await onwards.waitFor()
    await gallery.at(`story-${step}`)
    await onwards.click()
  }
  await story.getByText('What to do next').waitFor()
  await gallery.at('story-end')
}

/** On a touch screen, a dialog with a text field is hidden until an on-screen keyboard has had time to appear. */
async function revealed(page: Page): Promise<void> {
  await page.locator('.overlay').waitFor()
  await page.waitForFunction(() =>
    [...document.querySelectorAll<HTMLElement>('.overlay')].every(({ style }) => style.opacity === ''),
  )
}

async function close(page: Page): Promise<void> {
  await page.keyboard.press('Escape')
  await page.locator('.overlay, .popover').waitFor({ state: 'detached' })
}
