import type { Kith, WebSocketConstructor } from '@kith/client'
import { Emitter } from '../devices/emitter.ts'
import { type DeviceName, isSameDevice, personName, titleOf } from '../devices/name.ts'
import { briefOf } from './brief.ts'
import type { Entry } from './entry.ts'
import { inflating } from './inflated.ts'
import { OwnChanges } from './own-changes.ts'
import { type Happening, recordingWebSocket } from './recording-socket.ts'
import { Teller } from './teller.ts'
import type { Told } from './told.ts'

const mostEntries = 500
const channelName = 'kith-demo:trace'

/** What the devices of all this page's windows send and get, oldest first. */
export class Trace {
  readonly changes: Emitter = new Emitter()
  /** Windows of one device tell the page, which shows it. */
  readonly #channel: BroadcastChannel = new BroadcastChannel(channelName)
  readonly #window: string = crypto.randomUUID()
  #entries: readonly Entry[] = []
  #count = 0
  #isTold = true

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
    const told = (happening: Happening): void => {
      const entry = this.#entry(name, happening, teller.tell(happening))
      this.#channel.postMessage(entry)
      this.#add(entry)
      void this.#ownChanges.factsOf(entry).then(facts => {
        if (facts.length === 0) return
        this.#channel.postMessage({ ...entry, facts })
        this.#add({ ...entry, facts })
      })
    }
    return recordingWebSocket(inflating(told))
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

  /** An entry that is known is replaced. Many frames can come at once: the page is told once for all. */
  #add(entry: Entry): void {
    const isKnown = this.#entries.some(({ id }) => id === entry.id)
    this.#entries = isKnown
      ? this.#entries.map(one => (one.id === entry.id ? entry : one))
      : [...this.#entries.slice(1 - mostEntries), entry]
    if (!this.#isTold) return
    this.#isTold = false
    setTimeout(() => {
      this.#isTold = true
      this.changes.emit()
    }, 16)
  }
}
