/** A node's name in the database. */
export interface NodeName {
  readonly id: number
  /** A new key each time that the node joins. */
  readonly key: string
}

/** What the other nodes have applied, as far as it is known. */
export interface Standing {
  /** Leases count by the clock of the database. For the duration of a lease after a promotion, nothing is known. */
  isSettled: boolean
  /** The position that all others have applied; `undefined` if there are no others. */
  applied: number | undefined
  /** The lease of another node has expired. */
  hasGone: boolean
}

/**
 * The nodes that have a lease, according to the database: by its clock, and by commits that a standby confirms. A write that is
 * not confirmed rejects.
 */
export interface NodeTable {
  /** Extends the lease, from now. Returns `false` if it had expired, or if the node is not in the table. */
  renew(name: NodeName, applied: number): Promise<boolean>
  /** Replaces the row that the node had before, if it had one. */
  join(id: number | undefined, key: string, applied: number): Promise<NodeName>
  leave(name: NodeName): Promise<void>
  head(): Promise<number>
  /** Returns what the other nodes have applied. A position beyond the head belongs to a lost history, and counts as 0. */
  standing(id: number): Promise<Standing>
  removeGone(id: number): Promise<void>
  /** A write has had no answer. The database may have moved to another host, while connections lead to the old one. */
  lookElsewhere(): Promise<void>
  /** Announces what this node has applied. No standby needs to confirm it, because an earlier position is also true. */
  sayApplied(name: NodeName, position: number): Promise<void>
}

/** The duration of a lease: a node hands something over only if its last renewal began less than this time ago. */
export const leaseMs = 2_000
/** The largest difference between the clocks of two machines over the duration of a lease. */
export const marginMs = 250
