import type { Locator, Page } from 'playwright-core'

export interface Added {
  /** Circles by name, as the page shows them: “Friends”. */
  circles?: readonly string[]
  /** Overwrites the circles of these people, instead of adding to them. */
  overwrites?: boolean
}

/** One device on the demo page, as its user sees and uses it. */
export class DeviceCard {
  readonly page: Page
  readonly card: Locator

  constructor(page: Page, title: string) {
    this.page = page
    this.card = page.getByRole('region', { name: title, exact: true })
  }

  /** Switches the device's network off. */
  async goOffline(): Promise<void> {
    await this.switchOnline()
    await this.says(/^Offline/)
  }

  async comeBack(): Promise<void> {
    await this.switchOnline()
    await this.isInStep()
  }

  /** Waits until the device's line about the server contains this text. */
  async says(words: RegExp): Promise<void> {
    await this.card.locator('.sync').filter({ hasText: words }).waitFor()
  }

  async isInStep(): Promise<void> {
    await this.says(/^Saved on the server$/)
  }

  /** Adds one person, or several people, each on one line. */
  async add(people: string, { circles = [], overwrites = false }: Added = {}): Promise<void> {
    await this.card.getByRole('button', { name: 'Add', exact: true }).click()
    const dialog = this.page.getByRole('dialog')
    const areSeveral = people.includes('\n') || overwrites
    if (areSeveral) await dialog.getByRole('button', { name: 'Add several at once' }).click()
    await dialog.getByLabel(areSeveral ? 'User names, one in each line' : 'User name').fill(people)
    for (const circle of circles) await dialog.getByText(circle, { exact: true }).click()
    if (overwrites) await dialog.getByText('Replace the circles they are in').click()
    await dialog.getByRole('button', { name: 'Add', exact: true }).click()
    await dialog.waitFor({ state: 'detached' })
  }

  /** Adds the 5,000 people that the page generates. */
  async makeUpPeople(): Promise<void> {
    await this.card.getByRole('button', { name: 'Add', exact: true }).click()
    const dialog = this.page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Add several at once' }).click()
    await dialog.getByRole('button', { name: 'Fill in 5,000 made-up names' }).click()
    await dialog.getByRole('button', { name: 'Add', exact: true }).click()
    await dialog.waitFor({ state: 'detached' })
  }

  /** Opens the dialog that imports a phone book. */
  async openImport(): Promise<Locator> {
    await this.card.getByRole('button', { name: 'Add', exact: true }).click()
    await this.page.getByRole('dialog').getByRole('button', { name: 'Import a phone book' }).click()
    return this.page.getByRole('dialog', { name: /^Import a phone book/ })
  }

  /** Returns a person in the list of contacts. */
  row(name: string): Locator {
    return this.card.getByRole('row', { name, exact: true })
  }

  /** Returns the levels of the circles that the list shows for a person: `1 5`. */
  async levelsOf(name: string): Promise<string> {
    return (await this.row(name).getAttribute('data-levels')) ?? ''
  }

  /** Presses a row of the list. While the list scrolls, as it does to bring the row into view, its rows ignore presses. */
  async press(row: Locator): Promise<void> {
    await row.scrollIntoViewIfNeeded()
    await row.evaluate(async element => {
      const frame = (): Promise<number> => new Promise(resolve => requestAnimationFrame(resolve))
      do for (let frames = 0; frames < 3; frames++) await frame()
      while (getComputedStyle(element).pointerEvents === 'none')
    })
    await row.click()
  }

  async openContact(name: string): Promise<void> {
    await this.press(this.row(name))
    await this.card.getByRole('heading', { name, level: 3 }).waitFor()
  }

  async backToContacts(): Promise<void> {
    const back = this.card.getByRole('button', { name: 'All contacts' })
    if (await back.isVisible()) await back.click() // Beside the list there is no way back.
  }

  async goTo(tab: 'Contacts' | 'My profile' | 'Settings'): Promise<void> {
    await this.card.getByRole('tab', { name: tab }).click()
  }

  /** Returns a field of the user's own profile, in the section of a circle. */
  ownField(circle: string, name: string): Locator {
    return this.card.getByRole('group', { name: circle, exact: true }).getByLabel(name, { exact: true })
  }

  /** Shows the user's own profile as another person sees it. */
  async previewAs(user: string): Promise<void> {
    const preview = this.card.getByRole('group', { name: 'Preview' })
    await preview.getByLabel('As seen by').selectOption('A person…')
    await preview.getByLabel('User name of that person').fill(user)
  }

  async fill(field: Locator, value: string): Promise<void> {
    await field.fill(value)
    await field.press('Enter')
  }

  /** Blocks the person whose page is open. */
  async block(): Promise<void> {
    await this.card.getByRole('button', { name: 'Block', exact: true }).click()
    await this.page
      .getByRole('alertdialog')
      .getByRole('button', { name: /^Block / })
      .click()
    await this.page.getByRole('alertdialog').waitFor({ state: 'detached' })
  }

  async toggle(name: string): Promise<void> {
    await this.card.locator('.switch').filter({ hasText: name }).click()
  }

  /** Switches a circle of the person whose page is open. */
  async switchCircle(circle: string): Promise<void> {
    await this.card.locator('.circle-list .switch').filter({ hasText: circle }).click()
  }

  /** Switches the network off if it was on, or on if it was off. */
  async switchOnline(): Promise<void> {
    await this.card.locator('.device-header .switch').click()
  }
}
