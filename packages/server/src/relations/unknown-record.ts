/**
 * A record holds more than this version of Kith knows: a later version wrote it. It is refused, since writing it again would
 * drop that. The message says what is there and what to do.
 */
export class UnknownRecord extends Error {
  constructor(what: string) {
    super(`${what}, which this version of Kith does not know: run the version that wrote it, or a later one`)
  }
}

/** Throws {@link UnknownRecord} unless all of it is known. `what` names the record. */
export function expectKnown(isKnown: boolean, what: string): void {
  if (!isKnown) throw new UnknownRecord(what)
}
