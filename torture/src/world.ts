import { type ServerProcess, startServerProcess } from '@kith/bench/server-process'
import { Backups } from './backups.ts'
import { Population } from './population.ts'

/** A server on a folder, and its population: the part that is killed, and the recipients of its promises. */
export class World {
  readonly folder: string
  readonly population: Population
  readonly backups: Backups
  #server: ServerProcess

  private constructor(folder: string, server: ServerProcess, population: Population) {
    this.folder = folder
    this.#server = server
    this.population = population
    this.backups = new Backups(folder)
  }

  static async open(folder: string, seed: number): Promise<World> {
    const server = await startServerProcess({ folder })
    try {
      const url = server.url.replace(/^http/, 'ws')
      return new World(folder, server, await Population.open({ seed, api: server, urlFor: () => url, backends: 1 }))
    } catch (error) {
      await server.kill()
      throw error
    }
  }

  get server(): ServerProcess {
    return this.#server
  }

  /** Starts the server again, on the same folder and port. */
  async restart(): Promise<void> {
    this.#server = await startServerProcess({ folder: this.folder, port: Number(new URL(this.#server.url).port) })
  }

  async close(): Promise<void> {
    await this.population.close()
    await this.#server.stop()
  }

  /** Ends the server immediately when this process ends abnormally, so that no server outlives it. */
  abandon(): void {
    this.#server.kill().catch(() => undefined)
  }
}
