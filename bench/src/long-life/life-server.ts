import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLevelStore } from '@kith/server'
import { startTestServer, type TestServer } from '@kith/server/testing'
import { defaultLimits, type Limits } from '@kith/shared'
import type { Calendar } from './calendar.ts'

/** A server in this process, with a LevelDB folder and a real socket. It uses the date of a calendar. */
export class LifeServer {
  readonly folder: string
  readonly #calendar: Calendar
  readonly #limits: Limits
  #server: TestServer

  private constructor(folder: string, calendar: Calendar, limits: Limits, server: TestServer) {
    this.folder = folder
    this.#calendar = calendar
    this.#limits = limits
    this.#server = server
  }

  /** `limits`: the limits that differ from those of production. */
  static async start(calendar: Calendar, limits: Partial<Limits> = {}): Promise<LifeServer> {
    const folder = await mkdtemp(join(tmpdir(), 'kith-life-'))
    const all = { ...defaultLimits, ...limits }
    return new LifeServer(folder, calendar, all, await serve(folder, calendar, all, 0))
  }

  get url(): string {
    return this.#server.url
  }

  get wsUrl(): string {
    return this.#server.wsUrl
  }

  token(user: string): Promise<string> {
    return this.#server.issueToken(user)
  }

  /** Stops, and starts again on the same folder and port. Returns the duration of the start in milliseconds. */
  async restart(): Promise<number> {
    const { port } = this.#server
    await this.#server.close()
    const begun = performance.now()
    this.#server = await serve(this.folder, this.#calendar, this.#limits, port)
    return performance.now() - begun
  }

  /** Stops the server. The folder stays. */
  stop(): Promise<void> {
    return this.#server.close()
  }

  removeFolder(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true })
  }
}

async function serve(folder: string, clock: Calendar, limits: Limits, port: number): Promise<TestServer> {
  const store = await openLevelStore(folder, { limits, clock })
  return startTestServer({ store, limits, clock, port })
}

/** Returns the size of a folder on the disk, in bytes. */
export async function folderBytes(folder: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(folder, { recursive: true })) {
    const found = await stat(join(folder, name)).catch(() => undefined) // LevelDB removes files at any time.
    if (found?.isFile()) bytes += found.size
  }
  return bytes
}
