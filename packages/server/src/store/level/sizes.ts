/** The sizes at which a change counts as large. A record is one that is read. */
export interface CommitSizes {
  /**
   * The number of records that one change may read while all others wait, which takes about 10 ms. A larger change is prepared
   * beside the queue.
   */
  readonly recordsInQueue: number
  /** The number of records of a change of medium size. It does not wait until large changes are prepared. */
  readonly recordsOfMedium: number
  /** The largest number of operations in one batch. A change with more is staged. */
  readonly operationsInBatch: number
  /** The number of operations in a slice of a staged change, which takes LevelDB about 3 ms. */
  readonly operationsInSlice: number
}

export const commitSizes: CommitSizes = {
  recordsInQueue: 500,
  recordsOfMedium: 4_000,
  operationsInBatch: 4_000,
  operationsInSlice: 1_000,
}
