/**
 * Positions from this one on are relative to the batch: its first commit has the next one. The head is added when the batch is
 * written.
 */
export const provisional: number = 2 ** 52
