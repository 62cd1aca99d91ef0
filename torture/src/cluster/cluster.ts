import type { Api } from '../backend.ts'
import { users } from '../keys.ts'
import { Population } from '../population.ts'
import { Database } from './database.ts'
import { dialFirst } from './dial.ts'
import { Link } from './link.ts'
import { Node } from './node.ts'
import { run } from './stored.ts'
import { Witness } from './witness.ts'

const nodeCount = 3

/** Nodes on one database, and a front for each node. The front leads to another node when its own node is gone. */
export class Cluster implements Api {
  readonly database: Database
  readonly nodes: readonly Node[]
  readonly fronts: readonly Link[]
  #asked = 0

  private constructor(database: Database, nodes: readonly Node[], fronts: readonly Link[]) {
    this.database = database
    this.nodes = nodes
    this.fronts = fronts
  }

  static async open(): Promise<Cluster> {
    const database = await Database.open()
    const migrated = await run('migrate', database.primary)
    if (!migrated.isWell) throw new Error(migrated.text)
    const nodes: Node[] = []
    for (let number = 1; number <= nodeCount; number++) nodes.push(await Node.make(number, database))
    await Promise.all(nodes.map(node => node.start()))
    const ports = nodes.map(({ port }) => port)
    const fronts: Link[] = []
    for (const index of nodes.keys()) {
      fronts.push(await Link.open(() => dialFirst([...ports.slice(index), ...ports.slice(0, index)])))
    }
    return new Cluster(database, nodes, fronts)
  }

  /** Sends a request to one node after another. */
  admin(method: string, path: string, body?: unknown): Promise<Response> {
    const node = this.nodes[this.#asked++ % nodeCount] as Node
    return node.admin(method, path, body)
  }

  /** Opens the population. The devices of a user are on several nodes. */
  populate(seed: number): Promise<Population> {
    const urlFor = (user: string, number: number): string =>
      this.urls[(users.indexOf(user) + number) % nodeCount] as string
    return Population.open({ seed, api: this, urlFor, backends: nodeCount })
  }

  witness(population: Population): Promise<Witness> {
    return Witness.open(this, this.urls, population.nextRandom())
  }

  get urls(): string[] {
    return this.fronts.map(({ port }) => `ws://127.0.0.1:${port}`)
  }

  async stop(): Promise<void> {
    for (const front of this.fronts) front.close()
    await Promise.all(this.nodes.map(node => node.stop()))
    await this.database.stop()
  }
}
