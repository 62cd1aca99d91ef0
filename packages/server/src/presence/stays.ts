/** How a user is here, on this node. */
interface LocalStay {
  /** Connections, those of stock providers among them. */
  sessions: number
  /** From the first device that takes Kith's messages to the end of the grace after the last one. */
  isOnline: boolean
}

/** What the keeper of stays asks and tells the node that it belongs to. */
export interface StaysPort {
  localStay(user: string): LocalStay
  /** Users of whom there is anything to write. */
  localUsers(): Iterable<string>
  /** These users came online or went offline, as other nodes can now read. */
  stirred(users: readonly string[]): void
  /**
   * Nodes ended without leaving: users who are online nowhere since, and when they were last known to be. Resolves with whether
   * that was noted; if not, it comes again.
   */
  died(users: readonly { user: string; atMs: number }[]): Promise<boolean>
  /** Other nodes can now read that these users, of nodes that died, are gone. */
  parted(users: readonly string[]): void
}

/** Which users are on which nodes. Each node writes its own stays, and reads those of the others. */
export interface Stays {
  /** From here on this node's stays are written. */
  start(port: StaysPort): Promise<void>
  /** Messages of other nodes may be lost, and the database with them: writes this node's stays if they are not there. */
  again(): Promise<void>
  /** A user's stay here is another: it is written soon. */
  changed(user: string): void
  /** Those of the users who are online on another node. */
  onlineElsewhere(users: readonly string[]): Promise<ReadonlySet<string>>
  /** Other nodes on which the user is online. */
  nodesOf(user: string): Promise<readonly string[]>
  /** Connections of the user on other nodes. */
  sessionsElsewhere(user: string): Promise<number>
  /** The last devices of these users left this node. Resolves with those who are, or stay, online on no other node. */
  leave(users: readonly string[]): Promise<ReadonlySet<string>>
  /** Ends all stays of this node. */
  close(): Promise<void>
}
