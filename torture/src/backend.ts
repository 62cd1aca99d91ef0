import { setTimeout as pause } from 'node:timers/promises'
import type { ServerProcess } from '@kith/bench/server-process'
import { users } from './keys.ts'
import { type Edit, Ledger } from './ledger.ts'
import type { Random } from './random.ts'

const guests = ['guest-0', 'guest-1', 'guest-2', 'guest-3']

/** A server's API over HTTP. */
export type Api = Pick<ServerProcess, 'admin'>

interface Plan {
  method: string
  path: string
  body?: unknown
  edit: Edit
}

/** The part of one of several backends. Each backend changes keys of its own. */
export interface Share {
  index: number
  count: number
}

/**
 * The app's backend: it registers, erases, restricts and pairs users. An answered request is a promise, like an acknowledged
 * edit of a device.
 */
export class Backend {
  readonly ledger: Ledger
  readonly #random: Random
  readonly #share: Share

  constructor(random: Random, share: Share) {
    this.ledger = new Ledger(`backend ${share.index + 1} of ${share.count}`)
    this.#random = random
    this.#share = share
  }

  /**
   * Sends requests until it is stopped, or until a request gets no answer. It is then unknown whether the request takes effect,
   * now or later.
   */
  async live(server: Api, until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      const { path, method, body, edit } = this.#plan()
      this.ledger.begin(edit)
      try {
        const response = await server.admin(method, path, body)
        const isGone = method === 'DELETE' && response.status === 404
        // One of several servers answers with 503 when it has lost the others, or the database.
        if (response.status === 503 && this.#share.count > 1) return
        if (!response.ok && !isGone) throw new Error(`${method} ${path} was answered with ${response.status}`)
      } catch (error) {
        // The server was killed before it answered. Other errors are noticed when the answers are checked.
        if (until.aborted || error instanceof TypeError) return
        throw error
      }
      this.ledger.acknowledge(this.ledger.count)
      await pause(this.#random.below(25))
    }
  }

  /** Returns the server's current values of all keys that this backend ever changes. */
  async found(server: Api): Promise<Map<string, string>> {
    return new Map([...(await everythingOn(server))].filter(([key]) => this.#isOwn(key)))
  }

  #isOwn(key: string): boolean {
    const sum = [...key].reduce((total, letter) => total + (letter.codePointAt(0) as number), 0)
    return sum % this.#share.count === this.#share.index
  }

  #plan(): Plan {
    for (;;) {
      const plan = this.#planAny()
      if ([...plan.edit.changes.keys()].every(key => this.#isOwn(key))) return plan
    }
  }

  #planAny(): Plan {
    const random = this.#random
    const planned = (method: string, path: string, key: string, value: string | undefined, body?: unknown) => ({
      method,
      path,
      ...(body === undefined ? {} : { body }),
      edit: { what: `${method} ${path} ${JSON.stringify(body ?? '')}`, changes: new Map([[key, value]]) },
    })
    const isAdded = random.fraction() < 0.5
    switch (random.below(3)) {
      case 0: {
        const guest = random.pick(guests)
        const path = `/v1/users/${guest}`
        if (isAdded) return planned('PUT', path, `guest ${guest}`, 'registered', {})
        return planned('DELETE', path, `guest ${guest}`, undefined)
      }
      case 1: {
        const user = random.pick(users)
        const restricted = random.fraction() < 0.2
        return planned('PUT', `/v1/users/${user}`, `restricted ${user}`, restricted ? 'true' : undefined, {
          restricted,
        })
      }
      default: {
        const [a, b] = [random.pick(users), random.pick(users)].sort() as [string, string]
        if (a === b) return this.#planAny()
        return planned(
          isAdded ? 'PUT' : 'DELETE',
          `/v1/pairs/${a}/${b}`,
          `pair ${a} ${b}`,
          isAdded ? 'true' : undefined,
        )
      }
    }
  }
}

async function everythingOn(server: Api): Promise<Map<string, string>> {
  const state = new Map<string, string>()
  for (const user of [...users, ...guests]) {
    const response = await server.admin('GET', `/v1/users/${user}`)
    if (response.status === 404) continue
    const { registered, restricted } = (await response.json()) as { registered: boolean; restricted: boolean }
    if (guests.includes(user) && registered) state.set(`guest ${user}`, 'registered')
    if (restricted) state.set(`restricted ${user}`, 'true')
    const { pairs } = (await (await server.admin('GET', `/v1/users/${user}/pairs`)).json()) as { pairs: string[] }
    for (const other of pairs) if (user < other) state.set(`pair ${user} ${other}`, 'true')
  }
  return state
}
