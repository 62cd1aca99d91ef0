/**
 * A node's right to hand over what it has read. While it is current no change that takes something away is answered before this
 * node has applied it [V4]. A node that stands still, or is cut off from the database, loses it; a store of one process has it
 * always.
 */
export interface Lease {
  /** To be asked in the same turn of the event loop as the hand-over, without an `await` between the two. */
  isCurrent(): boolean
  /** Resolves when the lease is current. Rejects when the store closes. */
  held(): Promise<void>
}

/** The lease of a store that one process has for itself. */
export const alwaysCurrent: Lease = { isCurrent: () => true, held: () => Promise.resolve() }
