import type { ServerMessage } from '@kith/shared/wire'
import { following, RawDevice } from '../raw-device.ts'
import type { ServerProcess } from '../server-process.ts'

export const probes = ['fetch', 'watch', 'follow', 'send'] as const
export type Probe = (typeof probes)[number]

/** A user who measures times, and who sees nothing of the users whom it names. */
export class Viewer {
  readonly device: RawDevice = new RawDevice('viewer')
  /** All cursors that it has received. */
  readonly cursors: Uint8Array[] = []
  /**
   * Type and size of each frame since the last call of {@link takeFrames}. Heartbeats and outcomes are not among them: they
   * come at any time.
   */
  #frames: string[] = []
  #waiting: { is: (message: ServerMessage) => boolean; resolve: (atMs: number) => void }[] = []
  #sentAt = new Map<string, { atMs: number; samples: number[] }>()
  #messages = 0

  async arrive(server: ServerProcess): Promise<void> {
    await this.device.connect(server, await server.token('viewer'))
    await this.device.edit('roster', [{ root: 'contacts', key: 'a-friend', value: true }])
    // From here on, the viewer only receives what it requests.
    this.device.onMessage = (message, bytes) => this.#take(message, bytes)
  }

  /**
   * Measures the milliseconds from the request to its answer. The outcome of a message comes later, and is then added to the
   * samples automatically.
   */
  async probe(probe: Probe, owner: string, samples: number[]): Promise<void> {
    const atMs = performance.now()
    if (probe === 'send') {
      const id = String(++this.#messages)
      this.#sentAt.set(id, { atMs, samples })
      return this.device.send({ type: 'sendMessage', id, to: owner, text: 'are you there?' })
    }
    samples.push((await this.#ask(probe, owner)) - atMs)
  }

  /** Resolves when all outcomes have arrived. */
  async rest(): Promise<void> {
    while (this.#sentAt.size > 0) await new Promise(resolve => setTimeout(resolve, 100))
  }

  takeFrames(): string {
    return this.#frames.splice(0).join(' ')
  }

  #ask(probe: Exclude<Probe, 'send'>, owner: string): Promise<number> {
    switch (probe) {
      case 'fetch':
        this.device.send({ type: 'fetch', owner })
        return this.#until(message => message.type === 'access' && message.owner === owner)
      case 'watch':
        this.device.send({ type: 'watch', owners: [] })
        this.device.send({ type: 'watch', owners: [owner] })
        return this.#until(message => message.type === 'presence' && message.owner === owner)
      case 'follow': {
        const isFollowed = this.device.roster.getMap('subscriptions').has(owner)
        const [change] = following([owner])
        this.device.write('roster', [
          { root: 'subscriptions', key: owner, value: isFollowed ? undefined : change?.value },
        ])
        this.device.send({ type: 'barrier', id: 1, withFeed: true })
        return this.#until(message => message.type === 'reached')
      }
    }
  }

  #until(is: (message: ServerMessage) => boolean): Promise<number> {
    return new Promise(resolve => this.#waiting.push({ is, resolve }))
  }

  #take(message: ServerMessage, bytes: Uint8Array): void {
    const atMs = performance.now()
    if ('cursor' in message && message.cursor.length > 0) this.cursors.push(message.cursor)
    if (message.type === 'outcome') {
      const sent = this.#sentAt.get(message.id)
      this.#sentAt.delete(message.id)
      sent?.samples.push(atMs - sent.atMs)
    } else if (message.type !== 'awareness') this.#frames.push(`${message.type}:${bytes.length}`)
    const answered = this.#waiting.filter(({ is }) => is(message))
    this.#waiting = this.#waiting.filter(({ is }) => !is(message))
    for (const { resolve } of answered) resolve(atMs)
  }
}
