/** A user's stay on this node. */
interface LocalStay {
  /** Connections, including those of stock providers. */
  sessions: number
  /** From the first device that accepts Kith's messages to the end of the grace period after the last one. */
  isOnline: boolean
}

/** The functions of the node that its `Stays` calls. */
export interface StaysPort {
  localStay(user: string): LocalStay
  /** Users with anything to write. */
  localUsers(): Iterable<string>
  /** These users came online or went offline, and other nodes can now read that. */
  stirred(users: readonly string[]): void
  /**
   * Nodes ended without signing off. `users`: users who have been online on no node since, and when they were last known to be.
   * Resolves to whether that was recorded. If not, it is repeated.
   */
  died(users: readonly { user: string; atMs: number }[]): Promise<boolean>
  /** Other nodes can now read that these users, of nodes that ended, are offline. */
  parted(users: readonly string[]): void
}

/** Which users are on which nodes. Each node writes its own stays, and reads those of the others. */
export interface Stays {
  /** From now on, this node's stays are written. */
  start(port: StaysPort): Promise<void>
  /** Messages of other nodes may be lost, and the database with them. Writes this node's stays again if they are missing. */
  again(): Promise<void>
  /** A user's stay here has changed. It is written soon. */
  changed(user: string): void
  /** Returns those of the users who are online on another node. */
  onlineElsewhere(users: readonly string[]): Promise<ReadonlySet<string>>
  /** Returns the other nodes on which the user is online. */
  nodesOf(user: string): Promise<readonly string[]>
  /** Returns the number of the user's connections on other nodes. */
  sessionsElsewhere(user: string): Promise<number>
  /** The last devices of these users disconnected from this node. Resolves to the users who are online on no other node. */
  leave(users: readonly string[]): Promise<ReadonlySet<string>>
  /** Ends all stays of this node. */
  close(): Promise<void>
}
