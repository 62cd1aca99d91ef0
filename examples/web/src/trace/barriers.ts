import type { Who, Words } from './told.ts'

/** Describes barriers (the question whether everything is on disk) and their answers. */
export class Barriers {
  readonly #who: Who
  readonly #withFeed: Set<number> = new Set()

  constructor(who: Who) {
    this.#who = who
  }

  begin(): void {
    this.#withFeed.clear()
  }

  asked(id: number, withFeed: boolean): Words {
    if (withFeed) this.#withFeed.add(id)
    const more = withFeed ? ', and was I told all that I may see?' : '?'
    return { kind: 'barrier', text: `${this.#who.device} asks: is everything so far on disk${more}` }
  }

  answered(id: number, isComplete: boolean): Words {
    const { device } = this.#who
    const withFeed = this.#withFeed.delete(id)
    if (!isComplete) {
      return { kind: 'problem', text: `The server did not take all that ${device} sent: it will send it another way` }
    }
    const more = withFeed ? ', and it was told all that it may see' : ''
    return { kind: 'barrier', text: `All that ${device} sent is on the server’s disk${more}` }
  }
}
