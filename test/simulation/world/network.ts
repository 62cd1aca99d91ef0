import type { WebSocketConstructor } from '@kith/client'
import { type DeviceSocket, selectSubprotocol } from '../../support/server-internals.ts'

/** A frame in flight, or the end of the connection. */
type Item = { type: 'frame'; bytes: Uint8Array; taken: () => void } | { type: 'close'; code: number; reason: string }

/** The notifications to observers of the network. */
export interface NetworkWatcher {
  /** The server hands a frame to a socket, at this moment. */
  handed(wire: Wire, bytes: Uint8Array): void
  /** A device's frame reaches the server, which has not read it yet. */
  received(wire: Wire, bytes: Uint8Array): void
  /** A frame reaches the device, which has not read it yet. */
  arrived(wire: Wire, bytes: Uint8Array): void
}

/** A direction: connection requests and a device's frames go up. */
type Direction = 'dial' | 'up' | 'down'

/** A possible next event of the network. */
export interface Move {
  wire: Wire
  direction: Direction
}

/** The close event when a connection breaks without a close frame. */
const lost = { type: 'close', code: 1006, reason: '' } as const

type Heard = (...details: never[]) => void

/** One connection: both ends, and the items in flight in each direction, in order. */
export class Wire {
  readonly id: number
  /** The process that opened it. */
  readonly caller: object
  readonly url: string
  readonly protocols: readonly string[]
  /**
   * On a slow connection, the server sees frames as outstanding until they arrive. Otherwise the network takes them
   * immediately.
   */
  readonly isSlow: boolean
  /** Whether the device's process is frozen, so that items for it wait. */
  readonly isHeld: () => boolean
  readonly up: Item[] = []
  readonly down: Item[] = []
  isAnswered = false
  /** Whether a hostile server answered it, which sends whatever it wants. */
  isHostile = false
  hasDeviceEnded = false
  hasServerEnded = false
  /** Whether the server has announced the end. */
  isClosedByServer = false
  readonly #watcher: NetworkWatcher
  readonly #heard = new Map<string, Heard[]>()
  /** The device's end. */
  binaryType = 'arraybuffer'
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null

  constructor(options: {
    id: number
    caller: object
    url: string
    protocols: readonly string[]
    isSlow: boolean
    isHeld: () => boolean
    watcher: NetworkWatcher
  }) {
    this.id = options.id
    this.caller = options.caller
    this.url = options.url
    this.protocols = options.protocols
    this.isSlow = options.isSlow
    this.isHeld = options.isHeld
    this.#watcher = options.watcher
  }

  get protocol(): string {
    return selectSubprotocol(new Set(this.protocols)) || ''
  }

  /** The device sends. */
  send(data: Uint8Array): void {
    if (!this.hasDeviceEnded) this.up.push({ type: 'frame', bytes: new Uint8Array(data), taken: () => undefined })
  }

  /** The device closes the connection. */
  close(): void {
    if (this.hasDeviceEnded) return
    this.hasDeviceEnded = true
    this.up.push({ type: 'close', code: 1000, reason: '' })
  }

  /** The server's end. */
  readonly server: DeviceSocket = new (class implements DeviceSocket {
    readonly #wire: Wire

    constructor(wire: Wire) {
      this.#wire = wire
    }

    get bufferedAmount(): number {
      if (!this.#wire.isSlow) return 0
      return this.#wire.down.reduce((sum, item) => sum + (item.type === 'frame' ? item.bytes.length : 0), 0)
    }

    on(event: string, heard: Heard): void {
      this.#wire.#heard.set(event, [...(this.#wire.#heard.get(event) ?? []), heard])
    }

    send(frame: Uint8Array, _options: unknown, taken: () => void): void {
      const wire = this.#wire
      if (wire.hasServerEnded) return
      if (!wire.isHostile) wire.#watcher.handed(wire, frame)
      wire.down.push({ type: 'frame', bytes: new Uint8Array(frame), taken: wire.isSlow ? taken : () => undefined })
      if (!wire.isSlow) queueMicrotask(taken)
    }

    pause(): void {
      // Frames that have been read already still arrive. The server must cope with any number of them.
    }

    resume(): void {}

    pong(_data: Buffer): void {
      // A Kith device sends no pings.
    }

    ping(data: Buffer): void {
      if (!this.#wire.hasDeviceEnded) queueMicrotask(() => this.#wire.tellServer('pong', data))
    }

    close(code: number, reason: string): void {
      this.#wire.isClosedByServer = true
      if (!this.#wire.hasServerEnded) this.#wire.down.push({ type: 'close', code, reason })
    }

    terminate(): void {
      this.#wire.endServer()
      this.#wire.down.push(lost)
    }
  })(this)

  tellServer(event: string, ...details: unknown[]): void {
    if (this.hasServerEnded) return
    for (const heard of this.#heard.get(event) ?? []) heard(...(details as never[]))
  }

  /** Notifies the server that the connection is over. */
  endServer(): void {
    if (this.hasServerEnded) return
    this.tellServer('close')
    this.hasServerEnded = true
    this.up.length = 0
  }

  /** Notifies the device that the connection is over. */
  endDevice(code: number, reason: string): void {
    if (this.hasDeviceEnded) return
    if (this.isHeld()) return void this.down.push({ type: 'close', code, reason })
    this.hasDeviceEnded = true
    this.onclose?.({ code, reason } as never)
  }

  /** One end stops immediately, without notice to either side. */
  silence(end: 'device' | 'server'): void {
    if (end === 'device') this.hasDeviceEnded = true
    else this.hasServerEnded = true
  }

  /** The next frame, or the end, arrives. */
  deliver(direction: 'up' | 'down'): void {
    const item = this[direction].shift()
    if (!item) return
    if (direction === 'up') this.#arriveAtServer(item)
    else this.#arriveAtDevice(item)
  }

  #arriveAtServer(item: Item): void {
    if (item.type === 'close') return this.endServer()
    if (this.hasServerEnded) return
    if (!this.isHostile) this.#watcher.received(this, item.bytes)
    this.tellServer('message', Buffer.from(item.bytes), true)
  }

  #arriveAtDevice(item: Item): void {
    if (item.type === 'close') {
      this.endDevice(item.code, item.reason)
      return this.endServer()
    }
    item.taken()
    if (this.hasDeviceEnded) return
    if (!this.isHostile) this.#watcher.arrived(this, item.bytes)
    this.onmessage?.({ data: item.bytes.slice().buffer } as never)
  }
}

/** All connections of the world. They progress only by {@link Network.moves}. */
export class Network {
  readonly #watcher: NetworkWatcher
  readonly #answer: (wire: Wire) => void
  readonly #isCut: (caller: object) => boolean
  readonly #isHeld: (caller: object) => boolean
  readonly #isServerHeld: (wire: Wire) => boolean
  #wires: Wire[] = []
  #count = 0
  /** Whether the next connections are slow. */
  isSlow = false

  /**
   * `answer`: the server's handler for each connection request that arrives. `isCut`: whether a process is behind a partition.
   * `isHeld`: whether a device's process is frozen. `isServerHeld`: whether the server's process of a connection is frozen.
   */
  constructor(
    watcher: NetworkWatcher,
    answer: (wire: Wire) => void,
    isCut: (caller: object) => boolean,
    isHeld: (caller: object) => boolean = () => false,
    isServerHeld: (wire: Wire) => boolean = () => false,
  ) {
    this.#isHeld = isHeld
    this.#isServerHeld = isServerHeld
    this.#watcher = watcher
    this.#answer = answer
    this.#isCut = isCut
  }

  get wires(): readonly Wire[] {
    return this.#wires
  }

  /** The WebSocket class of one process. */
  webSocketOf(caller: object): WebSocketConstructor {
    const dial = (url: string, protocols: string[]): Wire => {
      const isHeld = (): boolean => this.#isHeld(caller)
      const watcher = this.#watcher
      const wire = new Wire({ id: this.#count++, caller, url, protocols, isSlow: this.isSlow, isHeld, watcher })
      this.#wires.push(wire)
      return wire
    }
    return function WebSocket(url: string, protocols: string[]) {
      return dial(url, protocols)
    } as unknown as WebSocketConstructor
  }

  /** The possible next events, in the order of the connections. */
  moves(): Move[] {
    this.#wires = this.#wires.filter(wire => !isOver(wire))
    return this.#wires.flatMap(wire => {
      if (this.#isCut(wire.caller)) return []
      if (!wire.isAnswered) return wire.isHeld() ? [] : [{ wire, direction: 'dial' as const }]
      const moves: Move[] = []
      if (wire.up.length > 0 && !this.#isServerHeld(wire)) moves.push({ wire, direction: 'up' })
      if (wire.down.length > 0 && !wire.isHeld()) moves.push({ wire, direction: 'down' })
      return moves
    })
  }

  move({ wire, direction }: Move): void {
    if (direction !== 'dial') return wire.deliver(direction)
    wire.isAnswered = true
    this.#answer(wire)
  }

  /** Breaks a connection in the middle of the frame in flight. An end that is not notified finds out later. */
  cut(wire: Wire, told: 'both' | 'device' | 'server'): void {
    if (told !== 'device') wire.endServer()
    if (told !== 'server') {
      wire.down.length = 0
      wire.endDevice(lost.code, lost.reason)
    }
    if (told === 'both') wire.up.length = 0
    if (told === 'server') wire.down.push(lost)
  }
}

function isOver(wire: Wire): boolean {
  return wire.hasDeviceEnded && (wire.hasServerEnded || (!wire.isAnswered && wire.up.length > 0))
}
