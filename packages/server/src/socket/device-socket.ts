/** The subset of `ws`'s WebSocket that a session uses. */
export interface DeviceSocket {
  /** Bytes handed over that the network has not taken. */
  readonly bufferedAmount: number
  /** As `bufferedAmount`, and what the system's own buffers have not accepted of it; where that can't be known, the same. */
  readonly untakenBytes?: number
  /** Bytes of frames that have not arrived as a whole; absent where that is not known. */
  readonly unfinishedBytes?: number
  /** What these frames take in memory, which is more where they come in small parts; absent where that is not known. */
  readonly heldBytes?: number
  /** The number of the frame that is begun and not whole; absent where there is none, or where that is not known. */
  readonly unfinishedFrame?: number | undefined
  on(event: 'message', heard: (data: Buffer, isBinary: boolean) => void): unknown
  on(event: 'ping' | 'pong', heard: (data: Buffer) => void): unknown
  /** `unfinished`: more has arrived of a frame that is not whole yet, or all of it. */
  on(event: 'close' | 'unfinished', heard: () => void): unknown
  on(event: 'error', heard: (error: Error) => void): unknown
  /** `taken` is called when the network has taken the frame, or never will. */
  send(frame: Uint8Array, options: { binary: true }, taken: () => void): void
  /** Calls `send`. What it sends goes to the network in few writes. */
  together?(send: () => void): void
  /** The peer answers with a pong of the same data. */
  ping(data: Buffer): void
  pong(data: Buffer): void
  /** Reads nothing more from the network until `resume`. Frames that it has read already may still come. */
  pause(): void
  resume(): void
  close(code: number, reason: string): void
  /** Ends the connection without a close frame. */
  terminate(): void
}
