/** The subset of the platform's WebSocket that a connection uses. The platform's class and that of `ws` both fit. */
export interface WebSocketLike {
  binaryType: string
  readonly protocol: string
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  /**
   * Sends a frame.
   *
   * @param data - One binary frame.
   */
  send(data: Uint8Array<ArrayBuffer>): void
  /**
   * Closes the connection.
   *
   * @param code - The close code.
   * @param reason - The close reason.
   */
  close(code?: number, reason?: string): void
}

/** The class of a WebSocket: the platform's, or that of ws. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike
