/** A position from here on means "of this batch": the first of its commits has the next one. The head is added when it is written. */
export const provisional: number = 2 ** 52
