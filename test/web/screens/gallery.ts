import { mkdir, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'

const root = fileURLToPath(new URL('../screenshots/', import.meta.url))
const colours = ['light', 'dark'] as const

/** Pictures of one size, each screen in both colours: `test/web/screenshots/SIZE/01-NAME-light.png`, and a page with all of them. */
export class Gallery {
  /** The page of which pictures are taken. */
  page: Page
  readonly #folder: string
  readonly #names: string[] = []

  constructor(page: Page, size: string) {
    this.page = page
    this.#folder = `${root}${size.replace(/\W+/g, '-')}/`
  }

  async begin(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
    await mkdir(this.#folder, { recursive: true })
  }

  async at(name: string): Promise<void> {
    const number = String(this.#names.length + 1).padStart(2, '0')
    for (const colour of colours) {
      await this.page.emulateMedia({ colorScheme: colour })
      await this.page.screenshot({ path: `${this.#folder}${number}-${name}-${colour}.png` })
    }
    await this.page.emulateMedia({ colorScheme: 'light' })
    this.#names.push(`${number}-${name}`)
  }

  async end(): Promise<void> {
    const figures = this.#names.flatMap(name => colours.map(colour => figure(`${name}-${colour}`)))
    await writeFile(`${this.#folder}index.html`, `<!doctype html><title>Screens</title>${style}${figures.join('')}`)
  }
}

const style =
  '<style>body{font:12px system-ui;background:#888}figure{display:inline-block;margin:6px}img{height:46vh;display:block}</style>'

function figure(name: string): string {
  return `<figure><img src="${name}.png" alt=""><figcaption>${name}</figcaption></figure>`
}
