/*
 * The maximum memory for one piece of a file. Larger pieces are skipped with a diagnosis, so that a hostile file takes time in
 * proportion to its length, and no more memory than the sum of these.
 */

/** Of a line, and of a value on several lines. */
export const maxValueBytes: number = 64 * 1024
/** Of the stored values of one card; pictures are not stored. */
export const maxCardBytes: number = 256 * 1024
/** Cards within a card that has not ended yet. */
export const maxNestedCards = 1000
/** Of the values of such a card and all cards within it. */
export const maxGroupBytes: number = 4 * 1024 * 1024
/** Of a row of CSV. */
export const maxRecordBytes: number = 256 * 1024
/** Of the text that is used to guess the character set of a card. */
export const maxSampleBytes = 4096
