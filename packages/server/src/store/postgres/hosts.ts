import type pg from 'pg'
import { endConnection, openConnection } from './connect.ts'
import { DatabaseError } from './database-error.ts'

/** Returns the addresses in a URL with several hosts, as in `postgres://kith@db1,db2:5433/kith`. */
function hostsIn(url: string): string[] {
  const parts = /^(postgres(?:ql)?:\/\/(?:[^@/]*@)?)([^/?]+)(.*)$/.exec(url)
  if (!parts) throw new DatabaseError('KITH_DATABASE_URL must be a URL, as in postgres://user@host/database')
  const [, before, hosts, after] = parts as unknown as [string, string, string, string]
  return hosts.split(',').map(host => `${before}${host}${after}`)
}

const known = new Map<string, Hosts>()

/** The hosts of a database, shared by all parts of a process that connect to it. */
export class Hosts {
  /** As URLs. The first one is the last known primary. */
  #inOrder: readonly string[]
  readonly #listeners: Set<() => void> = new Set()
  #looking: Promise<void> | undefined

  private constructor(url: string) {
    this.#inOrder = hostsIn(url)
  }

  static of(url: string): Hosts {
    const hosts = known.get(url) ?? new Hosts(url)
    known.set(url, hosts)
    return hosts
  }

  /**
   * Opens a connection to the host that accepts writes. Each host is queried, because after a failover a standby may be the
   * primary, and the primary a standby. Rejects with {@link DatabaseError} if there is none. A statement without an answer for
   * `timeoutMs` fails, as if the connection was lost: the machine at the other end may be gone without notice.
   */
  async connect(timeoutMs?: number): Promise<pg.Client> {
    const failures: unknown[] = []
    for (const host of this.#inOrder) {
      try {
        const client = await openConnection(host, timeoutMs)
        if (client) {
          this.#prefer(host)
          return client
        }
        failures.push(new Error(`${hostOf(host)} is a standby`))
      } catch (error) {
        failures.push(error)
      }
    }
    const reasons = failures.map(error => (error instanceof Error ? error.message || String(error) : String(error)))
    throw new DatabaseError(`no primary of the database can be reached: ${reasons.join('; ')}`, { cause: failures[0] })
  }

  /**
   * Queries the other hosts whether one of them is the primary by now. A primary that was cut off also accepts writes, but
   * answers none of them. If there is another primary, all listeners reconnect.
   */
  async lookElsewhere(): Promise<void> {
    this.#looking ??= this.#askOthers().finally(() => {
      this.#looking = undefined
    })
    await this.#looking
  }

  /** Calls `listener` when connections lead to a host that is no longer the primary. Returns an unsubscribe function. */
  onMove(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async #askOthers(): Promise<void> {
    for (const host of this.#inOrder.slice(1)) {
      const client = await openConnection(host, askingMs).catch(() => undefined)
      if (!client) continue
      await endConnection(client)
      this.#prefer(host)
      for (const listener of [...this.#listeners]) listener()
      return
    }
  }

  #prefer(host: string): void {
    this.#inOrder = [host, ...this.#inOrder.filter(other => other !== host)]
  }
}

/** The timeout of the query whether a host is the primary. */
const askingMs = 5_000

/** Returns the host without a password. */
function hostOf(url: string): string {
  return new URL(url).host
}
