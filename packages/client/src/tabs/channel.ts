/** The subset of `BroadcastChannel` that tabs use. All other channels of the same name receive the messages, in order. */
export interface TabChannel {
  onmessage: ((event: { data: unknown }) => void) | null
  /**
   * Sends a message to all others.
   *
   * @param message - A value that can be cloned.
   */
  postMessage(message: unknown): void
  /** Closes this end of the channel. */
  close(): void
}

/** Opens the channel of this name. */
export type OpenTabChannel = (name: string) => TabChannel

/** The platform's channels, which every browser with Web Locks has. */
export function platformChannels(): OpenTabChannel | undefined {
  const Channel = globalThis.BroadcastChannel
  if (!Channel) return undefined
  return name => new Channel(name) as unknown as TabChannel
}
