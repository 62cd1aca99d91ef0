import type { PersonRow } from '../database/schema.ts'

/** The data of another user's profile that is kept in memory, except for roster facts. */
export class HeldProfile {
  #row: PersonRow | undefined
  #version = 0
  /** Resolves when the profile was read from the database and, when connected, the server has answered. Never rejects. */
  loaded: Promise<void> = Promise.resolve()

  /** As last stored or read; `undefined` when this device has no data of the user. */
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
