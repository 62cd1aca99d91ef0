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

/** The longest wait for a device to report what it changed. */
const longestAskingMs = 500

function noneAfter(ms: number): Promise<Fact[]> {
  return new Promise(resolve => setTimeout(() => resolve([]), ms))
}

/** The traffic of the devices in all this page's windows, oldest first. */
export class Trace {
  readonly changes: Emitter = new Emitter()
  /** A window for one device reports its entries to the page, which shows them. */
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

  /** A WebSocket for a device's client, which records its traffic. */
  socketFor(name: DeviceName): WebSocketConstructor {
    const teller = new Teller({ device: titleOf(name), user: name.user, nameOf: personName })
    const tell = (happening: Happening): void => this.#tell(this.#entry(name, happening, teller.tell(happening)))
    return recordingWebSocket(inflating(tell))
  }

  /**
   * Entries after a change wait until the content of the change is known: a line that grows later would move all lines below
   * it.
   */
  #tell(entry: Entry): void {
    const asking = Promise.race([this.#ownChanges.factsOf(entry), noneAfter(longestAskingMs)])
    this.#told = this.#told.then(async () => {
      const facts = await asking
      const whole = facts.length === 0 ? entry : { ...entry, facts }
      this.#channel.postMessage(whole)
      this.#add(whole)
    })
  }

  /** Whether any recorded frame to a device contained a text. */
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

  /** Many frames may arrive together: listeners are notified once. */
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
