import { setTimeout as pause } from 'node:timers/promises'
import { type Kith, type KithOptions, openKith, type Profile } from '@kith/client'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { WebSocket } from 'ws'
import type { Api } from '../backend.ts'
import { issueToken } from '../population.ts'
import type { Random } from '../random.ts'

const owner = 'olga'

interface Viewer {
  kith: Kith
  profile: Profile
}

/**
 * [V3][V4] An owner who repeatedly blocks two viewers, writes secrets after the block was answered, and lifts the block. Each
 * viewer is on a node of its own, and a device of the owner is on each node. No frame with a secret may reach a viewer. After
 * the block was answered, no earlier frame may reach a viewer either. No message of a viewer may reach the owner.
 */
export class Witness {
  readonly #random: Random
  readonly #owners: Kith[] = []
  readonly #viewers: Viewer[] = []
  #cycle = 0
  #waiting: (() => void)[] = []
  /** The block was answered, and the block has not begun to be lifted. */
  #isShut = false
  /** Messages of blocked viewers whose outcome is not known yet. */
  #intrusions: Promise<void>[] = []
  /** Observations that break a rule, in words. */
  readonly breaches: string[] = []
  blocks = 0
  messages = 0

  private constructor(random: Random) {
    this.#random = random
  }

  /** `urls`: three URLs, each of another node. */
  static async open(api: Api, urls: readonly string[], random: Random): Promise<Witness> {
    const witness = new Witness(random)
    const token = await issueToken(api, owner)
    for (const url of urls) witness.#owners.push(await witness.#openOwner(url, token))
    for (const [index, url] of urls.slice(1).entries()) {
      const user = `vic-${index}`
      witness.#viewers.push(await witness.#openViewer(url, user, await issueToken(api, user)))
    }
    return witness
  }

  /** Resolves when one more block was answered, and its effects were checked. */
  nextBlock(): Promise<void> {
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  async live(until: AbortSignal): Promise<void> {
    // Reconnects to the preferred nodes, if those were gone.
    for (const kith of this.#all) kith.disconnect()
    for (const kith of this.#all) kith.connect()
    while (!until.aborted) {
      try {
        await this.#live(until)
      } catch (error) {
        if (!until.aborted) throw error
      }
    }
  }

  async close(): Promise<void> {
    for (const kith of this.#all) await kith.close()
  }

  get #all(): Kith[] {
    return [...this.#owners, ...this.#viewers.map(({ kith }) => kith)]
  }

  async #live(signal: AbortSignal): Promise<void> {
    const [kith] = this.#owners as [Kith]
    // Without a node, a message waits on the device for up to 10 s. If it is sent after the block is lifted, it may be
    // delivered.
    await Promise.all(this.#intrusions.splice(0))
    this.#isShut = false
    this.#cycle++
    await kith.ownProfile.set('word', `open ${this.#cycle}.0.`)
    await kith.whenSynced({ signal })
    await this.#block(false)
    await this.#untilSeen(signal)
    for (let count = this.#random.below(12), index = 1; index <= count; index++) {
      await kith.ownProfile.set('word', `open ${this.#cycle}.${index}.`)
      await pause(this.#random.below(30))
    }
    await this.#block(true)
    await kith.whenSynced({ signal })
    // Frames that were handed over before the answer are read in these turns.
    for (let turn = 0; turn < 3; turn++) await pause(50)
    this.#isShut = true
    this.blocks++
    await kith.ownProfile.set('word', `secret ${this.#cycle}.`)
    this.#intrusions = this.#viewers.map(viewer => this.#intrude(viewer))
    await pause(this.#random.between(100, 1_500))
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  async #block(isBlocked: boolean): Promise<void> {
    const [kith] = this.#owners as [Kith]
    for (const { kith: viewer } of this.#viewers) {
      const profile = kith.getProfile(viewer.user)
      profile.block(isBlocked)
      await profile.save()
    }
  }

  async #untilSeen(signal: AbortSignal): Promise<void> {
    const word = `open ${this.#cycle}.0.`
    while (!this.#viewers.every(({ profile }) => profile.get('word') === word)) {
      signal.throwIfAborted()
      await pause(20)
    }
  }

  async #intrude({ kith }: Viewer): Promise<void> {
    this.messages++
    const text = `forbidden ${this.#cycle}.`
    const outcome = await kith.send(owner, text).catch(() => 'undelivered')
    if (outcome === 'delivered') this.breaches.push(`${kith.user}'s message of after the block was delivered: ${text}`)
  }

  /** Checks a frame that reached a viewer. */
  #look(user: string, frame: Buffer): void {
    const [word] = /(open|secret) \d+\.(\d+\.)?/.exec(frame.toString('latin1')) ?? []
    if (word === undefined) return
    if (word.startsWith('secret')) this.breaches.push(`${user} got what was written after the block: ${word}`)
    else if (this.#isShut) this.breaches.push(`${user} got after the block was answered: ${word} (${this.#cycle})`)
  }

  async #openOwner(url: string, token: string): Promise<Kith> {
    const kith = await openKith({ ...storage(), url, token, user: owner, WebSocket })
    kith.on('message', ({ text }) => {
      // A node that lost the connection to the sender may have held the message until after the block was lifted.
      if (this.#isShut && text.startsWith('forbidden'))
        this.breaches.push(`${owner} got a message of after the block: ${text}`)
    })
    return kith
  }

  async #openViewer(url: string, user: string, token: string): Promise<Viewer> {
    const look = (frame: Buffer): void => this.#look(user, frame)
    class WatchedSocket extends WebSocket {
      constructor(to: string, protocols: string[]) {
        super(to, protocols)
        this.on('message', data => look(Buffer.from(data as ArrayBuffer)))
      }
    }
    const socket = WatchedSocket as unknown as NonNullable<KithOptions['WebSocket']>
    const kith = await openKith({ ...storage(), url, token, user, WebSocket: socket })
    const profile = kith.getProfile(owner)
    profile.subscribe(true)
    await profile.save()
    return { kith, profile }
  }
}

function storage(): Pick<KithOptions, 'indexedDB' | 'IDBKeyRange'> {
  return { indexedDB: new IDBFactory(), IDBKeyRange }
}
