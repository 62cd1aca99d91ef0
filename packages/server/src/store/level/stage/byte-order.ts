/**
 * Returns a key in a form in which JavaScript's own comparison gives the order of a Level database, which compares bytes.
 * JavaScript compares text by UTF-16 code units, which is a different order above the first 55,296 characters.
 */
export function byteOrdered(key: string): string {
  return notAscii.test(key) ? Buffer.from(key, 'utf8').toString('latin1') : key
}

/** Returns the key of a byte-ordered form. */
export function keyOf(ordered: string): string {
  return notAscii.test(ordered) ? Buffer.from(ordered, 'latin1').toString('utf8') : ordered
}

const notAscii = /[\u0080-\uffff]/
