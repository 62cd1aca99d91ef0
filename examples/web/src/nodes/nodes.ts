import { Emitter } from '../devices/emitter.ts'

export interface ServerNode {
  number: number
  isRunning: boolean
}

interface State {
  nodes: readonly ServerNode[]
  nodeByUser: Readonly<Record<string, number>>
}

const lookMs = 1000
const patienceMs = 10_000

/** The nodes of a server that runs as several, as the example `cluster` reports: the page queries it once a second. */
export class Nodes {
  readonly changes: Emitter = new Emitter()
  #state: State = { nodes: [], nodeByUser: {} }
  #hasFailed = false

  constructor() {
    const look = async (): Promise<void> => {
      await this.#ask('/nodes', 'GET')
      setTimeout(() => void look(), lookMs)
    }
    void look()
  }

  get all(): readonly ServerNode[] {
    return this.#state.nodes
  }

  /** Whether the example does not respond. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** The node to which the devices of a user are connected; `undefined` while it is unknown. */
  nodeOf(user: string): number | undefined {
    return this.#state.nodeByUser[user]
  }

  async kill(number: number): Promise<void> {
    await this.#ask(`/nodes/${number}/kill`, 'POST')
  }

  async start(number: number): Promise<void> {
    await this.#ask(`/nodes/${number}/start`, 'POST')
  }

  async #ask(path: string, method: 'GET' | 'POST'): Promise<void> {
    try {
      const response = await fetch(path, { method, signal: AbortSignal.timeout(patienceMs) })
      this.#hasFailed = !response.ok
      if (response.ok) this.#state = (await response.json()) as State
    } catch {
      this.#hasFailed = true
    }
    this.changes.emit()
  }
}

/** `/?nodes` shows the nodes. A single server has none, and no example to query. */
export function nodesOfServer(): Nodes | undefined {
  return new URLSearchParams(location.search).has('nodes') ? new Nodes() : undefined
}
