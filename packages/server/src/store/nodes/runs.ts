/** Whether two runs of a database are the same, by their ids. */
export function isSameRun(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}
