import type { BrowserContext, Page } from 'playwright-core'

/** Messages in the browser's console, from all pages: errors, warnings, uncaught exceptions. */
export class Complaints {
  readonly #texts: string[] = []
  readonly #expected: RegExp[] = []

  constructor(context: BrowserContext) {
    context.on('page', page => this.#hear(page))
  }

  /** Messages that a test causes. They are no failure, however often they occur. */
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

/** Chromium's own messages about a server that is unreachable, or that stops while the page sends. */
export const noServer: RegExp =
  /net::ERR_(INTERNET_DISCONNECTED|CONNECTION_REFUSED|FAILED)|WebSocket is already in CLOSING or CLOSED state/
