import type { Carrier, CarrierPort } from './bus.ts'

type Listener = (bytes: Uint8Array) => void

const noPort: CarrierPort = { gap: () => undefined, failed: () => undefined }

/** Carries messages between nodes of one process. A single node finds no others, which costs one look-up. */
export class LocalHub {
  readonly #carriers: Set<LocalCarrier> = new Set()

  carrier(): Carrier {
    const carrier = new LocalCarrier(this)
    this.#carriers.add(carrier)
    return carrier
  }

  /** All carriers lose their connections, and restore them. Messages in transit are lost. */
  cut(): void {
    for (const carrier of this.#carriers) carrier.cut()
  }

  publish(subject: string, bytes: Uint8Array): void {
    for (const carrier of this.#carriers) carrier.deliver(subject, bytes)
  }

  remove(carrier: LocalCarrier): void {
    this.#carriers.delete(carrier)
  }
}

class LocalCarrier implements Carrier {
  port: CarrierPort = noPort
  readonly #hub: LocalHub
  readonly #listeners: Map<string, Set<Listener>> = new Map()
  /** Counts lost connections. Messages that were sent before a loss do not arrive. */
  #cuts = 0

  constructor(hub: LocalHub) {
    this.#hub = hub
  }

  publish(subject: string, bytes: Uint8Array): void {
    this.#hub.publish(subject, bytes)
  }

  async subscribe(subject: string, listener: Listener): Promise<() => void> {
    const listeners = this.#listeners.get(subject) ?? new Set()
    this.#listeners.set(subject, listeners.add(listener))
    return () => listeners.delete(listener)
  }

  deliver(subject: string, bytes: Uint8Array): void {
    const listeners = this.#listeners.get(subject)
    if (!listeners) return
    const cuts = this.#cuts
    queueMicrotask(() => {
      if (cuts === this.#cuts) for (const listener of [...listeners]) listener(bytes)
    })
  }

  cut(): void {
    this.#cuts++
    queueMicrotask(() => this.port.gap())
  }

  async close(): Promise<void> {
    this.#cuts++
    this.#hub.remove(this)
  }
}
