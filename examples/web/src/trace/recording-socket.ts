import type { WebSocketConstructor } from '@kith/client'

/** An event on one connection, and its time (milliseconds since 1970). */
export type Happening =
  | { type: 'opened'; atMs: number }
  /** `update`: the inflated update of a compressed roster. */
  | { type: 'frame'; atMs: number; direction: Direction; bytes: Uint8Array; update?: Uint8Array | undefined }
  | { type: 'closed'; atMs: number; code: number; reason: string }

/** From the device's point of view. */
export type Direction = 'sent' | 'received'

export interface RecordingOptions {
  /** The class to record; by default, the platform's. */
  WebSocket?: typeof WebSocket
  now?: () => number
  /** Receives errors that `tell` throws; by default, they are logged like any uncaught error. */
  report?: (error: unknown) => void
}

/**
 * A WebSocket for `openKith({ WebSocket })` that reports every binary frame that the device sends or receives, and opening and
 * closing. It behaves exactly like the platform's: order, timing and content are unchanged, `tell` gets copies, and an error in
 * `tell` has no effect on the connection. Frames that arrive after the device has closed are dropped, so they are not reported.
 */
export function recordingWebSocket(
  tell: (happening: Happening) => void,
  { WebSocket: Base = WebSocket, now = Date.now, report = reportError }: RecordingOptions = {},
): WebSocketConstructor {
  function say(happening: Happening): void {
    try {
      tell(happening)
    } catch (error) {
      report(error)
    }
  }

  return class RecordingWebSocket extends Base {
    #isGivenUp = false

    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols)
      this.addEventListener('open', () => say({ type: 'opened', atMs: now() }))
      this.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
        if (!this.#isGivenUp) frame('received', data)
      })
      this.addEventListener('close', ({ code, reason }) => say({ type: 'closed', atMs: now(), code, reason }))
    }

    override send(data: Parameters<WebSocket['send']>[0]): void {
      super.send(data)
      // In any later state, the platform drops the frame.
      if (this.readyState === Base.OPEN) frame('sent', data)
    }

    override close(code?: number, reason?: string): void {
      this.#isGivenUp = true
      super.close(code, reason)
    }
  }

  function frame(direction: Direction, data: unknown): void {
    const bytes = copyOf(data)
    if (bytes) say({ type: 'frame', atMs: now(), direction, bytes })
  }
}

/** Returns `undefined` for text, and for blobs, which can only be read later: Kith sends and accepts neither. */
function copyOf(data: unknown): Uint8Array | undefined {
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0))
  if (!ArrayBuffer.isView(data)) return undefined
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
}
