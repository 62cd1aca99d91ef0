/** How much of each workload is done: `quick` shows only that it is done right. */
export interface Size {
  readonly isQuick: boolean
  readonly rounds: number
  /** Peers take part, where they install. */
  readonly hasPeers: boolean
}

/** The number for the full workload, or the one for a quick check. */
export function sized({ isQuick }: Size, full: number, quick: number): number {
  return isQuick ? quick : full
}
