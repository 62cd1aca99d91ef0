/** A generated mutant that no test can or need notice, and why. It is known by its line's text, and what it makes of what. */
export interface Kept {
  file: string
  /** The line on which it begins, without its indentation. */
  line: string
  /** What stands there → what it makes of that; absent: whatever is made of this line. */
  change?: string
  why: string
}

/** Survivors that were read and left. */
export const kept: readonly Kept[] = []

export function whyKept({
  file,
  lineText,
  original,
  replacement,
}: {
  file: string
  lineText: string
  original: string
  replacement: string
}): string | undefined {
  const change = `${original} → ${replacement}`
  return kept.find(one => one.file === file && one.line === lineText && (one.change ?? change) === change)?.why
}
