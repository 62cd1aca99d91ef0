import type { KeyChange } from '@kith/shared'
import { following, RawDevice } from '../raw-device.ts'
import type { ServerProcess } from '../server-process.ts'

const followersEach = 3

/** A user who blocks the viewer and stays active: edits, changes the audience, disconnects and reconnects. */
export class Actor {
  readonly user: string
  #server: ServerProcess
  #device: RawDevice
  #followers: RawDevice[] = []
  #isHere = false
  #acts = 0

  constructor(user: string, server: ServerProcess) {
    this.user = user
    this.#server = server
    this.#device = new RawDevice(user)
  }

  async arrive(): Promise<void> {
    await this.#return()
    await this.#device.edit('roster', [blocking('viewer')])
    await this.edit('first')
    for (let index = 0; index < followersEach; index++) {
      const follower = new RawDevice(`follower-${index}-of-${this.user}`)
      await follower.connect(this.#server, await this.#server.token(follower.user))
      await follower.edit('roster', following([this.user]))
      this.#followers.push(follower)
    }
  }

  /** Performs the chosen action. Resolves when the server has answered. */
  async act(choice: number): Promise<void> {
    this.#acts++
    if (!this.#isHere) return this.#return()
    if (choice < 0.5) return this.edit(`edit ${this.#acts}`)
    if (choice < 0.75) return this.#changeAudience()
    this.#device.close()
    this.#isHere = false
  }

  edit(value: string): Promise<void> {
    return this.#device.edit('profile', [{ root: 'fields', key: '0/benchmark/status', value }])
  }

  leave(): void {
    for (const device of [this.#device, ...this.#followers]) device.close()
  }

  async #return(): Promise<void> {
    await this.#device.connect(this.#server, await this.#server.token(this.user))
    this.#isHere = true
  }

  /**
   * Switches the audience from everyone to users with a grant, or back. Strangers then see another level 0; the viewer sees
   * nothing in both cases.
   */
  #changeAudience(): Promise<void> {
    const narrow = [...this.#device.roster.getMap('privacy').keys()]
    const nonce = `n${String(this.#acts).padStart(10, '0')}`
    const changes: KeyChange[] =
      narrow.length > 0
        ? narrow.map(key => ({ root: 'privacy', key, value: undefined }))
        : [{ root: 'privacy', key: `${nonce}/nobody`, value: true }]
    return this.#device.edit('roster', changes)
  }
}

export function blocking(user: string): KeyChange {
  return { root: 'blocks', key: `nonce-of-it/${user}`, value: true }
}
