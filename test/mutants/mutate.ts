import type { Replacement } from './mutant.ts'

/**
 * The source with the replacement made. Throws unless its text stands there exactly once: else the source has changed, and
 * the mutant must follow.
 */
export function mutate(source: string, { file, find, replace }: Replacement): string {
  const pieces = source.split(find)
  if (pieces.length !== 2) {
    throw new Error(`${file} has ${pieces.length - 1} times, and not once, what a mutant replaces:\n${find}`)
  }
  return pieces.join(replace)
}
