import type { BusMessage, Topic } from './messages.ts'

/**
 * The messages between the nodes of a cluster. A message arrives at most once. Messages of one node on one topic arrive in
 * their order. Some are missed while a connection is lost. Data that must not be missed is in the database, and is read again
 * after that. A node does not receive its own messages.
 */
export interface Bus {
  /** Names this node in the cluster, from its start to its end. */
  readonly node: string
  /** Sends to all nodes that subscribe to the topic. */
  publish(topic: Topic, message: BusMessage): void
  /** Resolves to the unsubscribe function when the subscription is active. */
  subscribe(topic: Topic, listener: (message: BusMessage, from: string) => void): Promise<() => void>
  /**
   * Sends a request to one node, and resolves to its answer. Rejects with `BusError` if there is no answer after `deadlineMs`,
   * if the other node declines, and if this node closes its bus.
   */
  request(node: string, message: BusMessage, deadlineMs: number): Promise<BusMessage>
  /**
   * Sets how this node answers requests of a type. If the answer is `undefined`, none is sent, and the request of the other
   * node times out.
   */
  answer<T extends BusMessage['type']>(type: T, answer: Answer<Extract<BusMessage, { type: T }>>): void
  /** Calls `listener` when the connection has been restored after messages may have been missed. */
  onGap(listener: () => void): void
  /** Can be called twice. */
  close(): Promise<void>
}

export type Answer<M extends BusMessage> = (message: M, from: string) => Promise<BusMessage | undefined>

/** Carries bytes between nodes. A lost connection is reopened automatically. */
export interface Carrier {
  /** Messages are dropped while the connection is lost. */
  publish(subject: string, bytes: Uint8Array): void
  /** Resolves to the unsubscribe function when the subscription is active. */
  subscribe(subject: string, listener: (bytes: Uint8Array) => void): Promise<() => void>
  /** The functions that the carrier calls. Set once, by the bus. */
  port: CarrierPort
  close(): Promise<void>
}

export interface CarrierPort {
  /** The connection has been restored, and some messages may have been missed. */
  gap(): void
  /** A message could not be sent or received. */
  failed(error: Error): void
}
