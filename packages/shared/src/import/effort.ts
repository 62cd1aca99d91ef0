/**
 * Counts the cost of reading a file: the bytes and characters that any loop visits. Tests compare it with the length of the
 * file, since time on a busy machine proves nothing.
 */
export class Effort {
  visited = 0
}
