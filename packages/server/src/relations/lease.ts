/**
 * A node's right to hand over what it has read. While the lease is current, no change that takes something away is acknowledged
 * before this node has applied it [V4]. A node that is paused, or cut off from the database, loses the lease. A store of one
 * process always has it.
 */
export interface Lease {
  /** Call this in the same turn of the event loop as the hand-over, without an `await` between the two. */
  isCurrent(): boolean
  /** Resolves when the lease is current. Rejects when the store closes. */
  held(): Promise<void>
}

/** The lease of a store that only one process uses. */
export const alwaysCurrent: Lease = { isCurrent: () => true, held: () => Promise.resolve() }
