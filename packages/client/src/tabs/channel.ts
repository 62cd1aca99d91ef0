/** The subset of `BroadcastChannel` that tabs use: what one posts, all others of the same name hear, in order. */
export interface TabChannel {
  onmessage: ((event: { data: unknown }) => void) | null
  /**
   * Sends a message to all others.
   *
   * @param message - What can be cloned.
   */
  postMessage(message: unknown): void
  /** Ends this end of the channel. */
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
