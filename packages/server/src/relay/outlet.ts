/** The socket, as what hands over needs it. */
export interface Outlet {
  /** Bytes handed over and not yet taken by the network. */
  readonly outstandingBytes: number
  /** Whatever goes out on this socket, `onTaken` of feed and watch is called when the network has taken it. */
  send(frame: Uint8Array): void
  /** It can't go on. */
  fail(error: unknown): void
}
