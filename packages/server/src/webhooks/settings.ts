/** Where events are sent, and which. */
export interface WebhookSettings {
  url: URL
  /** One key, or two while one is being replaced. */
  keys: readonly Uint8Array[]
  /** Whether the text of an undelivered message is in its event. */
  includesText: boolean
  /** As many events as the outbox holds, dead letters among them. */
  mostEvents: number
}

export const defaultMostEvents = 100_000
