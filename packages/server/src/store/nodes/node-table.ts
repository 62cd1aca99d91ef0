/** How the database knows a node. */
export interface NodeName {
  readonly id: number
  /** Another one for each time that the node has joined. */
  readonly key: string
}

/** What the other nodes have applied, as far as it is known. */
export interface Standing {
  /** Leases count by the clock of the database: for the time of a lease after a promotion nothing is known. */
  isSettled: boolean
  /** The position that all others have applied; `undefined` if there are no others. */
  applied: number | undefined
  /** The lease of another node is over. */
  hasGone: boolean
}

/**
 * The nodes that have a lease, in the database: by its clock, and by commits that a standby confirms. What is written and not
 * confirmed rejects.
 */
export interface NodeTable {
  /** Lengthens the lease, from now. `false`: it was over, or the node is not in the table. */
  renew(name: NodeName, applied: number): Promise<boolean>
  /** In place of the row that the node had before, if it had one. */
  join(id: number | undefined, key: string, applied: number): Promise<NodeName>
  leave(name: NodeName): Promise<void>
  head(): Promise<number>
  /** How the others stand. What is beyond the head is of a history that was lost, and counts as nothing. */
  standing(id: number): Promise<Standing>
  removeGone(id: number): Promise<void>
  /** What was written has no answer: the database may be elsewhere by now, and connections lead to where it was. */
  lookElsewhere(): Promise<void>
  /** Says what this node has applied. No standby needs to confirm it: an earlier position is true as well. */
  sayApplied(name: NodeName, position: number): Promise<void>
}

/** How long a lease lasts: a node hands something over only if its last renewal began less than this ago. */
export const leaseMs = 2_000
/** By so much the clocks of two machines may differ in the time that a lease lasts. */
export const marginMs = 250
