import type { Replacement } from './mutant.ts'

/** A mutant whose text isn't where it was: the source has changed, and the mutant must follow. */
export class StaleMutant extends Error {}

/** The source with the replacement made. Throws {@link StaleMutant} unless its text stands there exactly once. */
export function mutate(source: string, { file, find, replace }: Replacement): string {
  const pieces = source.split(find)
  if (pieces.length !== 2) {
    throw new StaleMutant(`${file} has ${pieces.length - 1} times, and not once:\n${find}`)
  }
  return pieces.join(replace)
}
