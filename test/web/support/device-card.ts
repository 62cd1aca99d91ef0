import type { Locator, Page } from 'playwright-core'

export interface Added {
  /** By name, as the page shows them: “Friends (level 1)”. */
  levels?: readonly string[]
  /** In place of adding to what they have. */
  overwrites?: boolean
}

/** One device on the demo page, as its user sees and works it. */
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

  /** Waits until its line about the server says this. */
  async says(words: RegExp): Promise<void> {
    await this.card.locator('.sync').filter({ hasText: words }).waitFor()
  }

  async isInStep(): Promise<void> {
    await this.says(/^Everything is on the server’s disk$/)
  }

  async add(people: string, { levels = [], overwrites = false }: Added = {}): Promise<void> {
    await this.card.getByRole('button', { name: 'Add', exact: true }).click()
    const dialog = this.page.getByRole('dialog')
    await dialog.getByLabel('User ids, one a line').fill(people)
    for (const level of levels) await dialog.getByText(level, { exact: true }).click()
    if (overwrites) await dialog.getByText('get just this').click()
    await dialog.getByRole('button', { name: 'Add', exact: true }).click()
    await dialog.waitFor({ state: 'detached' })
  }

  /** Adds the 5,000 people that the page makes up. */
  async makeUpPeople(): Promise<void> {
    await this.card.getByRole('button', { name: 'Add', exact: true }).click()
    const dialog = this.page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Make up 5,000' }).click()
    await dialog.getByRole('button', { name: 'Add', exact: true }).click()
    await dialog.waitFor({ state: 'detached' })
  }

  /** Somebody in the list of contacts. */
  row(name: string): Locator {
    return this.card.getByRole('row', { name, exact: true })
  }

  /** The numbers of the levels that the list shows of somebody. */
  async levelsOf(name: string): Promise<string> {
    return (await this.row(name).locator('.chip').allInnerTexts()).join(' ')
  }

  async openContact(name: string): Promise<void> {
    await this.row(name).click()
    await this.card.getByRole('heading', { name, level: 3 }).waitFor()
  }

  async backToContacts(): Promise<void> {
    await this.card.getByRole('button', { name: 'All contacts' }).click()
  }

  async goTo(tab: 'Contacts' | 'My profile'): Promise<void> {
    await this.card.getByRole('tab', { name: tab }).click()
  }

  /** Of the own profile, in the section of a level: “Work (level 5)”. */
  ownField(level: string, name: string): Locator {
    return this.card.getByRole('region', { name: level }).getByLabel(name, { exact: true })
  }

  async fill(field: Locator, value: string): Promise<void> {
    await field.fill(value)
    await field.press('Enter')
  }

  async toggle(name: 'Block' | 'Follow' | 'Hide when I am online'): Promise<void> {
    await this.card.locator('.switch').filter({ hasText: name }).click()
  }

  async switchLevel(level: string): Promise<void> {
    await this.card.locator('.level-choice').filter({ hasText: level }).click()
  }

  /** Off or on, whichever it wasn’t. */
  async switchOnline(): Promise<void> {
    await this.card.locator('.switch').filter({ hasText: 'Online' }).click()
  }
}
