/**
 * The wire of this version of Kith, which it says in `hello` and `welcome`. 1 is that of 0.1.0, whose devices and servers say
 * nothing of it. Raised with each message, field, flag or error code that is new. PROTOCOL 18 says what each has.
 */
export const wireVersion = 6

/** From this wire on a `hello` has digests of the device's documents, and a `welcome` says which of them the server has. */
export const digestsWire = 3

/** From this wire on a server takes compressed updates of a roster. */
export const deflateWire = 4

/** From this wire on a device builds its unsent changes upon a document that was refounded. */
export const generationsWire = 5

/** From this wire on a device takes a `difference` where it holds what that builds on. */
export const differencesWire = 6

/**
 * The lowest wire of the other side with which this version works. Raised only where the server's operators and the app's
 * users can be told to upgrade; above 1, a device must also leave a server that has selected {@link subprotocol}.
 */
export const oldestWire = 1

/** What a device offers, and what a server selects for one that says no more. */
export const subprotocol = 'kith.v1'
/** Offered and selected by sides that say in `hello` and `welcome` which wire they have. */
export const versionedSubprotocol = 'kith.v1+'

/** A message of a type from here on may be passed over by a side that does not know it. */
export const firstOptionalType = 200

/** A wire, and the lowest one of the other side with which it works. */
export interface Wire {
  version: number
  oldest: number
}

/** Whether a server can serve a device; if not, which way the device differs. */
export function fitOf(
  device: Wire,
  server: Wire = { version: wireVersion, oldest: oldestWire },
): 'fits' | 'too-old' | 'too-new' {
  if (device.version < server.oldest) return 'too-old'
  return device.oldest > server.version ? 'too-new' : 'fits'
}
