/**
 * A record contains something that this version of Kith does not know, because a later version wrote it. It is refused, since
 * writing it again would drop the unknown part. The message says what was found and what to do.
 */
export class UnknownRecord extends Error {
  constructor(what: string) {
    super(`${what}, which this version of Kith does not know: run the version that wrote it, or a later one`)
  }
}

/** Throws {@link UnknownRecord} unless everything is known. `what` names the record. */
export function expectKnown(isKnown: boolean, what: string): void {
  if (!isKnown) throw new UnknownRecord(what)
}
