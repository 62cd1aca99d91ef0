import { cp, rm } from 'node:fs/promises'
import type { Random } from './random.ts'

/** What an operator does with a folder that no server uses: copies it now and then, and puts the copy in its place. */
export class Backups {
  readonly #folder: string
  #hasOne = false

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Whether the folder is an older one now. */
  async work(random: Random): Promise<boolean> {
    const backup = `${this.#folder}-backup`
    const isRestored = this.#hasOne && random.fraction() < 0.06
    if (isRestored) await copyOver(backup, this.#folder)
    if (!this.#hasOne || random.fraction() < 0.2) {
      await copyOver(this.#folder, backup)
      this.#hasOne = true
    }
    return isRestored
  }
}

async function copyOver(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true })
  await cp(from, to, { recursive: true })
}
