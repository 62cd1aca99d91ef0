import type pg from 'pg'
import { endConnection, openConnection } from './connect.ts'
import { DatabaseError } from './database-error.ts'

/** The addresses that a URL with several hosts names, as in `postgres://kith@db1,db2:5433/kith`. */
function hostsIn(url: string): string[] {
  const parts = /^(postgres(?:ql)?:\/\/(?:[^@/]*@)?)([^/?]+)(.*)$/.exec(url)
  if (!parts) throw new DatabaseError('KITH_DATABASE_URL must be a URL, as in postgres://user@host/database')
  const [, before, hosts, after] = parts as unknown as [string, string, string, string]
  return hosts.split(',').map(host => `${before}${host}${after}`)
}

const known = new Map<string, Hosts>()

/** The hosts of a database, as all of a process know them who connect to it. */
export class Hosts {
  /** As URLs. The first one was the primary last. */
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
   * A connection to the host that takes writes: each is asked, since a standby of a cluster that failed over may be the primary
   * by now, and the primary a standby. Rejects with {@link DatabaseError} if none is. A statement without an answer for
   * `timeoutMs` fails, as if the connection was lost: the machine at its other end may be gone without a word.
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
   * Asks the other hosts whether one of them is the primary by now: one that was cut off takes writes as well, and answers none
   * of them. All who listen connect again then.
   */
  async lookElsewhere(): Promise<void> {
    this.#looking ??= this.#askOthers().finally(() => {
      this.#looking = undefined
    })
    await this.#looking
  }

  /** Calls `listener` when connections lead to a host that is the primary no more. Returns an unsubscribe function. */
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

/** As long as a host is asked whether it is the primary. */
const askingMs = 5_000

/** Without a password. */
function hostOf(url: string): string {
  return new URL(url).host
}
