/** The subset of `ws`'s WebSocket that a session uses. */
export interface DeviceSocket {
  /** Bytes that were sent and that the network has not accepted yet. */
  readonly bufferedAmount: number
  /** Like `bufferedAmount`, without the bytes that the system's own buffers have accepted. Equal to it if that is not known. */
  readonly untakenBytes?: number
  /** Bytes of frames that have not arrived completely. Absent if that is not known. */
  readonly unfinishedBytes?: number
  /** The memory of these frames, which is more than their bytes if they arrive in small parts. Absent if that is not known. */
  readonly heldBytes?: number
  /** The number of the incomplete frame. Absent if there is none, or if that is not known. */
  readonly unfinishedFrame?: number | undefined
  on(event: 'message', heard: (data: Buffer, isBinary: boolean) => void): unknown
  on(event: 'ping' | 'pong', heard: (data: Buffer) => void): unknown
  /** `unfinished`: more of an incomplete frame has arrived, or all of it. */
  on(event: 'close' | 'unfinished', heard: () => void): unknown
  on(event: 'error', heard: (error: Error) => void): unknown
  /** `taken` is called when the network has accepted the frame, or never will. */
  send(frame: Uint8Array, options: { binary: true }, taken: () => void): void
  /** Calls `send`. The frames that it sends are passed to the network in few writes. */
  together?(send: () => void): void
  /** The peer answers with a pong of the same data. */
  ping(data: Buffer): void
  pong(data: Buffer): void
  /** Stops reading from the network until `resume`. Frames that were already read may still be emitted. */
  pause(): void
  resume(): void
  close(code: number, reason: string): void
  /** Ends the connection without a close frame. */
  terminate(): void
}
