import type { Stays, StaysPort } from './server-internals.ts'

interface Row {
  sessions: number
  isOnline: boolean
  isLeaving: boolean
}

/** The stays of the nodes of one process. Changes are written immediately. */
export class MemoryStays {
  readonly #rows: Map<string, Map<string, Row>> = new Map()

  of(node: string): Stays {
    const own = new Map<string, Row>()
    this.#rows.set(node, own)
    const others = (user: string): [string, Row][] =>
      [...this.#rows].flatMap(([other, rows]) => (other === node ? [] : rowsOf(other, rows.get(user))))
    const online = (user: string): [string, Row][] => others(user).filter(([, { isOnline }]) => isOnline)
    let port: StaysPort | undefined
    return {
      async start(given) {
        port = given
      },
      again: async () => void this.#rows.set(node, own),
      changed(user) {
        if (!port) return
        const stay = port.localStay(user)
        const wasOnline = own.get(user)?.isOnline === true
        if (stay.isOnline || stay.sessions > 0) own.set(user, { ...stay, isLeaving: false })
        else own.delete(user)
        if (wasOnline !== stay.isOnline) port.stirred([user])
      },
      onlineElsewhere: async users => new Set(users.filter(user => online(user).length > 0)),
      nodesOf: async user => online(user).map(([other]) => other),
      sessionsElsewhere: async user => others(user).reduce((sum, [, { sessions }]) => sum + sessions, 0),
      async leave(users) {
        for (const user of users) Object.assign(own.get(user) ?? {}, { isLeaving: true })
        return new Set(users.filter(user => online(user).every(([, { isLeaving }]) => isLeaving)))
      },
      close: async () => void this.#rows.delete(node),
    }
  }

  /** Empties the table, as after the promotion of a standby: the table exists, and is empty. */
  clear(): void {
    this.#rows.clear()
  }

  /** Adds a node that sends nothing more. */
  add(node: string, user: string): void {
    this.#rows.set(node, new Map([[user, { sessions: 1, isOnline: true, isLeaving: false }]]))
  }
}

function rowsOf(node: string, row: Row | undefined): [string, Row][] {
  return row ? [[node, row]] : []
}
