import type { Clock } from '../clock.ts'
import type { Answer, Bus, Carrier } from './bus.ts'
import { BusError } from './bus-error.ts'
import { type Envelope, openEnvelope, sealEnvelope } from './envelope.ts'
import type { BusMessage, Topic } from './messages.ts'

/** The number of requests of this node that may wait for an answer at a time. */
const mostRequests = 100_000

export interface MessageBusOptions {
  carrier: Carrier
  /** Names this node. Random, created at its start. */
  node: string
  /** A secret that only the nodes of the cluster know. */
  key: Uint8Array
  clock: Clock
  /** A message from another node was refused, or the carrier failed. */
  refused(error: Error): void
}

interface Waiting {
  resolve(message: BusMessage): void
  reject(error: Error): void
  /** Only an answer from this node counts. */
  node: string
}

/** The bus over any carrier. Resolves when this node can receive requests. */
export async function openBus(options: MessageBusOptions): Promise<Bus> {
  const bus = new MessageBus(options)
  await bus.listen()
  return bus
}

class MessageBus implements Bus {
  readonly node: string
  readonly #options: MessageBusOptions
  readonly #answers: Map<string, Answer<BusMessage>> = new Map()
  readonly #waiting: Map<number, Waiting> = new Map()
  readonly #gapListeners: (() => void)[] = []
  #lastRequest = 0
  #isClosed = false

  constructor(options: MessageBusOptions) {
    this.node = options.node
    this.#options = options
    options.carrier.port = {
      gap: () => {
        for (const listener of this.#gapListeners) listener()
      },
      failed: error => options.refused(error),
    }
  }

  async listen(): Promise<void> {
    const subject = subjectOfNode(this.node)
    await this.#options.carrier.subscribe(subject, bytes => this.#hear(subject, bytes))
  }

  publish(topic: Topic, message: BusMessage): void {
    this.#send(`topic.${topic}`, { kind: 'say', from: this.node, message })
  }

  async subscribe(topic: Topic, listener: (message: BusMessage, from: string) => void): Promise<() => void> {
    const subject = `topic.${topic}`
    return this.#options.carrier.subscribe(subject, bytes => {
      const envelope = this.#open(subject, bytes)
      if (envelope?.kind === 'say' && envelope.from !== this.node) listener(envelope.message, envelope.from)
    })
  }

  request(node: string, message: BusMessage, deadlineMs: number): Promise<BusMessage> {
    if (this.#isClosed) return Promise.reject(new BusError('this node is stopping'))
    if (this.#waiting.size >= mostRequests) {
      return Promise.reject(new BusError(`${mostRequests} requests wait for other nodes: try again later`))
    }
    const request = ++this.#lastRequest
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.after(deadlineMs, () => {
        this.#waiting.delete(request)
        reject(new BusError(`node ${node} did not answer in ${deadlineMs} ms`))
      })
      const settled = (): void => {
        cancel()
        this.#waiting.delete(request)
      }
      this.#waiting.set(request, {
        node,
        resolve: answer => {
          settled()
          resolve(answer)
        },
        reject: error => {
          settled()
          reject(error)
        },
      })
      this.#send(subjectOfNode(node), { kind: 'ask', from: this.node, request, message })
    })
  }

  answer<T extends BusMessage['type']>(type: T, answer: Answer<Extract<BusMessage, { type: T }>>): void {
    this.#answers.set(type, answer as Answer<BusMessage>)
  }

  onGap(listener: () => void): void {
    this.#gapListeners.push(listener)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const { reject } of [...this.#waiting.values()]) reject(new BusError('this node is stopping'))
    await this.#options.carrier.close()
  }

  #send(subject: string, envelope: Envelope): void {
    if (!this.#isClosed) this.#options.carrier.publish(subject, sealEnvelope(this.#options.key, subject, envelope))
  }

  #open(subject: string, bytes: Uint8Array): Envelope | undefined {
    try {
      return openEnvelope(this.#options.key, subject, bytes)
    } catch (error) {
      this.#options.refused(error as Error)
      return undefined
    }
  }

  #hear(subject: string, bytes: Uint8Array): void {
    const envelope = this.#open(subject, bytes)
    if (!envelope || envelope.kind === 'say' || this.#isClosed) return
    if (envelope.kind === 'ask') return void this.#answer(envelope)
    const waiting = this.#waiting.get(envelope.request)
    // The answer is late, or not from the node that received the request.
    if (waiting?.node !== envelope.from) return
    if (envelope.kind === 'answer') waiting.resolve(envelope.message)
    else waiting.reject(new BusError(`node ${envelope.from} declined: ${envelope.reason}`))
  }

  async #answer({ from, request, message }: Extract<Envelope, { kind: 'ask' }>): Promise<void> {
    const subject = subjectOfNode(from)
    try {
      const answer = this.#answers.get(message.type)
      if (!answer) throw new BusError(`no request is a ${message.type}`)
      const found = await answer(message, from)
      if (found) this.#send(subject, { kind: 'answer', from: this.node, request, message: found })
    } catch (error) {
      // Details are only for this node's log.
      if (!(error instanceof BusError)) this.#options.refused(error as Error)
      const reason = error instanceof BusError ? error.message : 'it failed'
      this.#send(subject, { kind: 'decline', from: this.node, request, reason })
    }
  }
}

function subjectOfNode(node: string): string {
  return `node.${node}`
}
