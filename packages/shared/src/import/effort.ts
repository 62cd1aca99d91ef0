/**
 * Counts what reading a file costs: the bytes and characters that any loop looks at. Tests bound it by the length of the
 * file, since time on a busy machine proves nothing.
 */
export class Effort {
  visited = 0
}
