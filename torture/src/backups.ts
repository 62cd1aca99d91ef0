import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from './random.ts'

/** The state of a folder between two runs of a server. */
export type Fate = 'kept' | 'older' | 'lost'

/** Operations of an operator on a folder that no server uses: copies it, replaces it by a copy, or loses the store. */
export class Backups {
  readonly #folder: string
  #hasOne = false

  constructor(folder: string) {
    this.#folder = folder
  }

  async work(random: Random): Promise<Fate> {
    if (random.fraction() < 0.05) {
      // As after a disk failure: the server starts empty, with the same secrets.
      for (const name of ['store', 'acknowledged']) await rm(join(this.#folder, name), { recursive: true, force: true })
      return 'lost'
    }
    const backup = `${this.#folder}-backup`
    const isRestored = this.#hasOne && random.fraction() < 0.06
    if (isRestored) await copyOver(backup, this.#folder)
    if (!this.#hasOne || random.fraction() < 0.2) {
      await copyOver(this.#folder, backup)
      this.#hasOne = true
    }
    return isRestored ? 'older' : 'kept'
  }
}

async function copyOver(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true })
  await cp(from, to, { recursive: true })
}
