import type { WebSocketConstructor } from '@kith/client'

/** What happened on one connection, and when (milliseconds since 1970). */
export type Happening =
  | { type: 'opened'; atMs: number }
  /** `update`: of a compressed roster, inflated. */
  | { type: 'frame'; atMs: number; direction: Direction; bytes: Uint8Array; update?: Uint8Array | undefined }
  | { type: 'closed'; atMs: number; code: number; reason: string }

/** From the device's side. */
export type Direction = 'sent' | 'received'

export interface RecordingOptions {
  /** What is recorded; absent: the platform's. */
  WebSocket?: typeof WebSocket
  now?: () => number
  /** Hears what `tell` throws; absent: the console, as for any uncaught error. */
  report?: (error: unknown) => void
}

/**
 * A WebSocket for `openKith({ WebSocket })` that tells of every binary frame which the device sends or takes, and of
 * opening and closing. It is the platform's own in every way: order, timing and content are untouched, `tell` gets copies,
 * and what it throws harms nobody. Frames that come after the device closed are not taken, so they are not told.
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
      // Later than this the platform drops what is sent.
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

/** `undefined` for text, and for blobs, which can only be read later: Kith sends and takes neither. */
function copyOf(data: unknown): Uint8Array | undefined {
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0))
  if (!ArrayBuffer.isView(data)) return undefined
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
}
