import type { BusMessage, Topic } from './messages.ts'

/**
 * What the nodes of a cluster say to each other. A message arrives at most once. Messages of one node on one topic arrive in
 * their order. Some are missed while a connection is lost: what must not be missed is in the database, and is looked at again
 * then. A node does not hear itself.
 */
export interface Bus {
  /** Names this node among those of the cluster, from its start to its end. */
  readonly node: string
  /** Sends to all nodes that subscribe to the topic. */
  publish(topic: Topic, message: BusMessage): void
  /** Resolves when the subscription is active, with the unsubscribe function. */
  subscribe(topic: Topic, listener: (message: BusMessage, from: string) => void): Promise<() => void>
  /**
   * Sends to one node, and resolves with its answer. Rejects with `BusError` when there is none after `deadlineMs`, when the
   * other node declines, and when this node closes its bus.
   */
  request(node: string, message: BusMessage, deadlineMs: number): Promise<BusMessage>
  /** How this node answers requests of a type. Without an answer (`undefined`) the other node's deadline ends. */
  answer<T extends BusMessage['type']>(type: T, answer: Answer<Extract<BusMessage, { type: T }>>): void
  /** Calls `listener` when the connection is there again after messages may have been missed. */
  onGap(listener: () => void): void
  /** Can be called twice. */
  close(): Promise<void>
}

export type Answer<M extends BusMessage> = (message: M, from: string) => Promise<BusMessage | undefined>

/** What carries bytes between nodes. Opens its connection again by itself when it was lost. */
export interface Carrier {
  /** Dropped while the connection is lost. */
  publish(subject: string, bytes: Uint8Array): void
  /** Resolves when the subscription is active, with the unsubscribe function. */
  subscribe(subject: string, listener: (bytes: Uint8Array) => void): Promise<() => void>
  /** What the carrier calls. Set once, by the bus. */
  port: CarrierPort
  close(): Promise<void>
}

export interface CarrierPort {
  /** The connection is there again, and some messages may have been missed. */
  gap(): void
  /** A message could not be sent or received. */
  failed(error: Error): void
}
