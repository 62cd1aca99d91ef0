/** How much of each workload is done. `quick` only checks that the results are right. */
export interface Size {
  readonly isQuick: boolean
  readonly rounds: number
  /** Whether peers take part, if they can be installed. */
  readonly hasPeers: boolean
}

/** The number for the full workload, or the one for a quick check. */
export function sized({ isQuick }: Size, full: number, quick: number): number {
  return isQuick ? quick : full
}
