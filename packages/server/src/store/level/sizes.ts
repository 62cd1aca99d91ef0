/** Where a change begins to be large. A record is one that is looked at. */
export interface CommitSizes {
  /** As many records as one change has while all others wait, which takes about 10 ms; a larger one is prepared beside the queue. */
  readonly recordsInQueue: number
  /** As many records as a change of medium size has: it does not wait until the large ones are prepared. */
  readonly recordsOfMedium: number
  /** As many operations as one batch has; a change with more is staged. */
  readonly operationsInBatch: number
  /** As many operations as a slice of a staged change has, which takes LevelDB about 3 ms. */
  readonly operationsInSlice: number
}

export const commitSizes: CommitSizes = {
  recordsInQueue: 500,
  recordsOfMedium: 4_000,
  operationsInBatch: 4_000,
  operationsInSlice: 1_000,
}
