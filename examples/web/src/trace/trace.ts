import type { WebSocketConstructor } from '@kith/client'
import { Emitter } from '../devices/emitter.ts'
import { type DeviceName, isSameDevice, personName, titleOf } from '../devices/name.ts'
import { type Brief, briefOf } from './brief.ts'
import { type Happening, recordingWebSocket } from './recording-socket.ts'
import { Teller } from './teller.ts'
import type { Told } from './told.ts'

/** Something that went over the wire of a device. */
export interface Entry extends Told {
  id: string
  name: DeviceName
  atMs: number
  /** From the device's side; absent for opening and closing. */
  direction: 'sent' | 'received' | undefined
  /** The frame itself. */
  frame: Uint8Array | undefined
  brief: Brief
}

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

  constructor() {
    this.#channel.onmessage = ({ data }: MessageEvent<Entry>) => this.#add(data)
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  /** A WebSocket for a device's client, which records what goes over it. */
  socketFor(name: DeviceName): WebSocketConstructor {
    const teller = new Teller({ device: titleOf(name), user: name.user, nameOf: personName })
    return recordingWebSocket(happening => {
      const entry = this.#entry(name, happening, teller.tell(happening))
      this.#channel.postMessage(entry)
      this.#add(entry)
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
