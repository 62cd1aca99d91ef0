import { Emitter } from './emitter.ts'
import { type DeviceName, databaseOf } from './name.ts'

/** A message of a conversation. `state`: the outcome of a message that this device sent. */
export interface KeptMessage {
  id: string
  with: string
  text: string
  atMs: number
  state: 'received' | 'sending' | 'delivered' | 'undelivered' | 'unconfirmed'
}

const mostMessages = 300

/** The messages in both directions on one device, oldest first. Kith relays messages and stores none; an app stores its own. */
export class KeptMessages {
  readonly changes: Emitter = new Emitter()
  readonly #key: string
  #messages: readonly KeptMessage[]

  constructor(name: DeviceName) {
    this.#key = `${databaseOf(name)}:messages`
    this.#messages = this.#read()
    addEventListener('storage', ({ key }) => {
      if (key !== this.#key) return
      this.#messages = this.#read()
      this.changes.emit()
    })
  }

  get all(): readonly KeptMessage[] {
    return this.#messages
  }

  /** Adds a message, or replaces the one of the same id: each tab of a device receives each message. */
  put(message: KeptMessage): void {
    const stored = this.#read()
    const others = stored.filter(({ id }) => id !== message.id)
    const index = stored.findIndex(({ id }) => id === message.id)
    const place = index < 0 ? others.length : index
    this.#become([...others.slice(0, place), message, ...others.slice(place)].slice(-mostMessages))
  }

  clear(): void {
    this.#become([])
  }

  #become(messages: readonly KeptMessage[]): void {
    this.#messages = messages
    try {
      if (messages.length === 0) localStorage.removeItem(this.#key)
      else localStorage.setItem(this.#key, JSON.stringify(messages))
    } catch {
      // Without storage, the messages last as long as the page.
    }
    this.changes.emit()
  }

  #read(): readonly KeptMessage[] {
    try {
      const stored: unknown = JSON.parse(localStorage.getItem(this.#key) ?? '[]')
      return Array.isArray(stored) ? stored.filter(isMessage) : []
    } catch {
      return this.#messages ?? []
    }
  }
}

function isMessage(value: unknown): value is KeptMessage {
  const { id, with: other, text, atMs } = (value ?? {}) as Partial<KeptMessage>
  return typeof id === 'string' && typeof other === 'string' && typeof text === 'string' && typeof atMs === 'number'
}
