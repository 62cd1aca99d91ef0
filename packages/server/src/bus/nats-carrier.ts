import { connect, type NatsConnection, type Status } from '@nats-io/transport-node'
import type { Carrier, CarrierPort } from './bus.ts'
import { BusError } from './bus-error.ts'

/** The interval between attempts to restore a lost connection. */
const reconnectMs = 1_000
const connectMs = 5_000

/**
 * Opens a connection to one of the servers of a URL, as in `nats://user:password@host1,host2:4222`. Rejects with
 * {@link BusError} if none can be reached. `prefix` separates clusters that share a server.
 */
export async function connectNats(url: string, prefix: string): Promise<Carrier> {
  const { servers, user, pass, isSecure } = partsOf(url)
  try {
    const connection = await connect({
      ...{ servers, name: 'kith', timeout: connectMs, maxReconnectAttempts: -1, reconnectTimeWait: reconnectMs },
      // Only the servers in the URL are used: the addresses that servers announce may not be reachable from here.
      ...{ ignoreClusterUpdates: true, noAsyncTraces: true },
      ...(user !== undefined && { user, pass }),
      ...(isSecure && { tls: {} }),
    })
    return new NatsCarrier(connection, prefix)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new BusError(`no NATS server of KITH_NATS_URL can be reached: ${reason}`, { cause: error })
  }
}

function partsOf(url: string): { servers: string[]; user?: string; pass: string; isSecure: boolean } {
  const [, scheme, user, pass, hosts] = /^(nats|tls):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/?#]+)\/?$/.exec(url) ?? []
  if (hosts === undefined) throw new BusError('KITH_NATS_URL must be a URL, as in nats://host1,host2:4222')
  return {
    servers: hosts.split(','),
    ...(user !== undefined && { user: decodeURIComponent(user) }),
    pass: decodeURIComponent(pass ?? ''),
    isSecure: scheme === 'tls',
  }
}

/** NATS core: nothing is stored, and servers forward only messages with a subscriber. */
class NatsCarrier implements Carrier {
  port: CarrierPort = { gap: () => undefined, failed: () => undefined }
  readonly #connection: NatsConnection
  readonly #prefix: string
  #isConnected = true

  constructor(connection: NatsConnection, prefix: string) {
    this.#connection = connection
    this.#prefix = prefix
    void this.#follow()
  }

  publish(subject: string, bytes: Uint8Array): void {
    // The library would keep all messages until the connection is restored.
    if (!this.#isConnected) return
    try {
      this.#connection.publish(this.#subjectOf(subject), bytes)
    } catch (error) {
      this.port.failed(new BusError('NATS did not take a message', { cause: error }))
    }
  }

  async subscribe(subject: string, listener: (bytes: Uint8Array) => void): Promise<() => void> {
    const subscription = this.#connection.subscribe(this.#subjectOf(subject), {
      callback: (error, message) => {
        if (error) this.port.failed(error)
        else listener(message.data)
      },
    })
    // While the connection is lost, the subscription becomes active with the next connection.
    if (this.#isConnected) await this.#connection.flush().catch(() => undefined)
    return () => subscription.unsubscribe()
  }

  async close(): Promise<void> {
    if (this.#isConnected) await this.#connection.flush().catch(() => undefined)
    await this.#connection.close()
  }

  #subjectOf(subject: string): string {
    return `${this.#prefix}.${subject}`
  }

  async #follow(): Promise<void> {
    for await (const status of this.#connection.status()) this.#note(status)
  }

  #note(status: Status): void {
    if (status.type === 'disconnect') this.#isConnected = false
    if (status.type === 'reconnect') {
      this.#isConnected = true
      // The subscriptions have been sent again. They are active when the server has answered the message that follows them.
      this.#connection.flush().then(
        () => this.port.gap(),
        () => undefined,
      )
    }
    if (status.type === 'error') this.port.failed(status.error)
  }
}
