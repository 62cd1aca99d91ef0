import type { Replacement } from './mutant.ts'

/**
 * Returns the source with the replacement. Throws unless the text occurs exactly once: otherwise the source has changed, and
 * the mutant must be adapted.
 */
export function mutate(source: string, { file, find, replace }: Replacement): string {
  const pieces = source.split(find)
  if (pieces.length !== 2) {
    throw new Error(`${file} has ${pieces.length - 1} times, and not once, what a mutant replaces:\n${find}`)
  }
  return pieces.join(replace)
}
