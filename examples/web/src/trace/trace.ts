import type { Kith, WebSocketConstructor } from '@kith/client'
import { Emitter } from '../devices/emitter.ts'
import { type DeviceName, isSameDevice, personName, titleOf } from '../devices/name.ts'
import { briefOf } from './brief.ts'
import type { Entry } from './entry.ts'
import type { Fact } from './facts.ts'
import { inflating } from './inflated.ts'
import { OwnChanges } from './own-changes.ts'
import { type Happening, recordingWebSocket } from './recording-socket.ts'
import { Teller } from './teller.ts'
import type { Told } from './told.ts'

const mostEntries = 500
const channelName = 'kith-demo:trace'

/** A device that does not say by then what it changed is not waited for. */
const longestAskingMs = 500

function noneAfter(ms: number): Promise<Fact[]> {
  return new Promise(resolve => setTimeout(() => resolve([]), ms))
}

/** What the devices of all this page's windows send and get, oldest first. */
export class Trace {
  readonly changes: Emitter = new Emitter()
  /** Windows of one device tell the page, which shows it. */
  readonly #channel: BroadcastChannel = new BroadcastChannel(channelName)
  readonly #window: string = crypto.randomUUID()
  #entries: readonly Entry[] = []
  #count = 0
  #isTold = true
  #told: Promise<void> = Promise.resolve()

  readonly #ownChanges: OwnChanges

  /** `kithOf`: the client of a device of this window, by the name of its database. */
  constructor(kithOf: (device: string) => Kith | undefined) {
    this.#ownChanges = new OwnChanges(kithOf)
    this.#channel.onmessage = ({ data }: MessageEvent<Entry>) => this.#add(data)
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  /** A WebSocket for a device's client, which records what goes over it. */
  socketFor(name: DeviceName): WebSocketConstructor {
    const teller = new Teller({ device: titleOf(name), user: name.user, nameOf: personName })
    const tell = (happening: Happening): void => this.#tell(this.#entry(name, happening, teller.tell(happening)))
    return recordingWebSocket(inflating(tell))
  }

  /** What comes after a change waits until it is known what that says: a line that grows later would move all below it. */
  #tell(entry: Entry): void {
    const asking = Promise.race([this.#ownChanges.factsOf(entry), noneAfter(longestAskingMs)])
    this.#told = this.#told.then(async () => {
      const facts = await asking
      const whole = facts.length === 0 ? entry : { ...entry, facts }
      this.#channel.postMessage(whole)
      this.#add(whole)
    })
  }

  /** Whether a text stood in any frame that a device was sent, of those that are still here. */
  hasReceived(name: DeviceName, text: string): boolean {
    return this.#entries.some(
      ({ name: whose, direction, frame }) =>
        direction === 'received' &&
        frame &&
        isSameDevice(whose, name) &&
        new TextDecoder().decode(frame).includes(text),
    )
  }

  clear(): void {
    this.#entries = []
    this.changes.emit()
  }

  #entry(name: DeviceName, happening: Happening, told: Told): Entry {
    this.#count++
    const { direction, bytes } = happening.type === 'frame' ? happening : {}
    return {
      ...told,
      id: `${this.#window}/${this.#count}`,
      name,
      atMs: happening.atMs,
      direction,
      frame: bytes,
      brief: briefOf(happening),
    }
  }

  /** Many frames can come at once: the page is told once for all. */
  #add(entry: Entry): void {
    this.#entries = [...this.#entries.slice(1 - mostEntries), entry]
    if (!this.#isTold) return
    this.#isTold = false
    setTimeout(() => {
      this.#isTold = true
      this.changes.emit()
    }, 16)
  }
}
