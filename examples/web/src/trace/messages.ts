import type { Outcome } from '@kith/shared/wire'
import { duration, quoted } from './phrases.ts'
import { reasons } from './reasons.ts'
import { nameOf, type Who, type Words, whose } from './told.ts'

/** Describes direct messages, and remembers the recipient of each until its outcome arrives. */
export class Messages {
  readonly #who: Who
  readonly #addresseeById: Map<string, string> = new Map()

  constructor(who: Who) {
    this.#who = who
  }

  begin(): void {
    this.#addresseeById.clear()
  }

  sent({ id, to, text }: { id: string; to: string; text: string }): Words {
    this.#addresseeById.set(id, to)
    return words(`${this.#who.device} sends ${nameOf(this.#who, to)} a message: ${quoted(text)}`)
  }

  got({ from, text }: { from: string; text: string }): Words {
    return words(`${this.#who.device} got a message from ${nameOf(this.#who, from)}: ${quoted(text)}`)
  }

  taken(from: string): Words {
    return words(`${this.#who.device} has taken ${whose(this.#who, from)} message`)
  }

  outcome({ id, state, refusal }: Outcome): Words {
    const to = this.#addresseeById.get(id)
    this.#addresseeById.delete(id)
    const message = `The message of ${this.#who.device}${to === undefined ? '' : ` to ${nameOf(this.#who, to)}`}`
    if (state === 'delivered') return words(`${message} was delivered: a device took it`)
    if (state === 'unconfirmed') return words(`${message} is on its way: the sender may not know what becomes of it`)
    if (!refusal) return words(`${message} was not delivered`)
    const { code, retryAfterMs } = refusal
    const later = retryAfterMs > 0 ? `; try again in ${duration(retryAfterMs)}` : ''
    return { kind: 'problem', text: `${message} was refused: ${reasons[code]}${later}` }
  }
}

function words(text: string): Words {
  return { kind: 'message', text }
}
