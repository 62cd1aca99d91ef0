// A text in an unknown encoding is kept as a string with one character per byte: lines, names of properties and separators are
// ASCII in every encoding of phone books.

const pieceLength = 8192
const { fromCharCode } = String

/** Converts bytes to a string with one character per byte. */
export function binaryOf(bytes: Uint8Array): string {
  let text = ''
  for (let from = 0; from < bytes.length; from += pieceLength) {
    text += fromCharCode.apply(null, bytes.subarray(from, from + pieceLength) as unknown as number[])
  }
  return text
}

/** The inverse of {@link binaryOf}. */
export function bytesOf(binary: string): Uint8Array {
  const bytes = new Uint8Array(binary.length)
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index)
  return bytes
}

export function isAscii(binary: string): boolean {
  return !/[^\0-\x7f]/.test(binary)
}
