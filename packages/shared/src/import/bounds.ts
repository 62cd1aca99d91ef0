/*
 * The maximum memory for one piece of a file. Larger pieces are skipped with a diagnosis, so that a hostile file takes time in
 * proportion to its length, and no more memory than the sum of these.
 */

/** For a line, and for a value on several lines. */
export const maxValueBytes: number = 64 * 1024
/** For the stored values of one card; pictures are not stored. */
export const maxCardBytes: number = 256 * 1024
/** Cards within a card that has not ended yet. */
export const maxNestedCards = 1000
/** For the values of such a card and all cards within it. */
export const maxGroupBytes: number = 4 * 1024 * 1024
/** For a row of CSV. */
export const maxRecordBytes: number = 256 * 1024
/** For the text that is used to guess the character set of a card. */
export const maxSampleBytes = 4096
