import type { PersonRow } from '../database/schema.ts'

/** What memory holds of another user's profile, beside the roster. */
export class HeldProfile {
  #row: PersonRow | undefined
  #version = 0
  /** Resolves when the profile was read from the database and, when connected, the server has answered. Never rejects. */
  loaded: Promise<void> = Promise.resolve()

  /** As last stored or read; `undefined` when this device holds nothing of the user. */
  get row(): PersonRow | undefined {
    return this.#row
  }

  set(row: PersonRow | undefined): void {
    this.#version++
    this.#row = row
  }

  /** Takes over the row that `read` returns, unless a newer row was set meanwhile. */
  async load(read: () => Promise<PersonRow | undefined>): Promise<void> {
    const version = this.#version
    const row = await read()
    if (version === this.#version) this.#row = row
  }
}
