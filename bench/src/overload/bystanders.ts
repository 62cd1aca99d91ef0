import { following, RawDevice } from '../raw-device.ts'
import type { ServerProcess } from '../server-process.ts'

const everyMs = 20

/**
 * Measures the time from another user's edit until its follower has it. Samples without a pause, so that edits which wait
 * behind a stall are included.
 */
export class Bystanders {
  #owner = new RawDevice('bystander-owner')
  #follower = new RawDevice('bystander-follower')
  #sentAt: number[] = []
  #latencies: number[] = []
  #arrived = 0
  #timer: NodeJS.Timeout | undefined

  async connect(server: ServerProcess): Promise<void> {
    for (const device of [this.#owner, this.#follower]) await device.connect(server, await server.token(device.user))
    await this.#owner.edit('profile', [{ root: 'fields', key: '0/bystander/n', value: -1 }])
    await this.#follower.edit('roster', following([this.#owner.user]))
    this.#follower.onProfile = ({ fields }) => this.#note(Number(fields['n']))
    this.#timer = setInterval(() => {
      this.#sentAt.push(performance.now())
      this.#owner.write('profile', [{ root: 'fields', key: '0/bystander/n', value: this.#sentAt.length - 1 }])
    }, everyMs)
  }

  /** The follower receives the newest state, not every edit. Edits that were skipped arrive with a later one. */
  #note(newest: number): void {
    for (; this.#arrived <= newest; this.#arrived++) {
      this.#latencies.push(performance.now() - (this.#sentAt[this.#arrived] as number))
    }
  }

  /** Returns the latencies since the last call. An edit that has not arrived counts with its age. */
  take(): number[] {
    const waiting = this.#sentAt.slice(this.#arrived).map(sentAt => performance.now() - sentAt)
    const latencies = [...this.#latencies, ...waiting]
    this.#latencies = []
    return latencies
  }

  close(): void {
    clearInterval(this.#timer)
    this.#owner.close()
    this.#follower.close()
  }
}
