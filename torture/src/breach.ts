/** A promise that was not kept. */
export class Breach extends Error {}

/** Throws a {@link Breach} if any text is not empty. */
export function expectNothing(wrong: readonly string[], where?: string): void {
  const said = wrong.filter(text => text !== '')
  if (said.length > 0) throw new Breach([...(where ? [where] : []), ...said].join('\n'))
}
