/** Where events are sent, and which. */
export interface WebhookSettings {
  url: URL
  /** One key, or two while one is being replaced. */
  keys: readonly Uint8Array[]
  /** Whether the event of an undelivered message contains the text. */
  includesText: boolean
  /** The largest number of events in the outbox, including dead letters. */
  mostEvents: number
}

export const defaultMostEvents = 100_000
