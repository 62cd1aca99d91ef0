import type { BrowserContext, Page } from 'playwright-core'

/** What the browser said in its console of any page: errors, warnings, what was thrown and caught by nobody. */
export class Complaints {
  readonly #texts: string[] = []
  readonly #expected: RegExp[] = []

  constructor(context: BrowserContext) {
    context.on('page', page => this.#hear(page))
  }

  /** What a test brings about: as often as it comes, it's no failure. */
  expect(...patterns: RegExp[]): void {
    this.#expected.push(...patterns)
  }

  get unexpected(): string[] {
    return this.#texts.filter(text => !this.#expected.some(pattern => pattern.test(text)))
  }

  #hear(page: Page): void {
    page.on('pageerror', error => this.#texts.push(error.stack ?? String(error)))
    page.on('console', message => {
      const { url } = message.location()
      if (['error', 'warning'].includes(message.type())) this.#texts.push(`${message.text()} (${url})`)
    })
  }
}

/** What Chromium itself says of a server that isn't there. */
export const noServer: RegExp = /net::ERR_(INTERNET_DISCONNECTED|CONNECTION_REFUSED|FAILED)/
