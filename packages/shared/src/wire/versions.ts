/**
 * The wire of this version of Kith, which it states in `hello` and `welcome`. 1 is the wire of 0.1.0, whose devices and servers
 * do not state it. Raised with each new message, field, flag or error code. PROTOCOL 18 lists what each wire has.
 */
export const wireVersion = 6

/** From this wire on, a `hello` has digests of the device's documents, and a `welcome` says which of them the server has. */
export const digestsWire = 3

/** From this wire on, a server accepts compressed updates of a roster. */
export const deflateWire = 4

/** From this wire on, a device rebuilds its unsent changes on a document that was refounded. */
export const generationsWire = 5

/** From this wire on, a device accepts a `difference` if it holds the state on which that builds. */
export const differencesWire = 6

/**
 * The lowest wire of the other side with which this version works. Raise it only if the server's operators and the app's users
 * can be told to upgrade. If it is above 1, a device must also leave a server that has selected {@link subprotocol}.
 */
export const oldestWire = 1

/** Offered by a device, and selected by a server if the device offers nothing else. */
export const subprotocol = 'kith.v1'
/** Offered and selected by sides that state their wire in `hello` and `welcome`. */
export const versionedSubprotocol = 'kith.v1+'

/** A side that does not know a message of this type or a higher one may skip it. */
export const firstOptionalType = 200

/** A wire, and the lowest one of the other side with which it works. */
export interface Wire {
  version: number
  oldest: number
}

/** Whether a server can serve a device; if not, whether the device is too old or too new. */
export function fitOf(
  device: Wire,
  server: Wire = { version: wireVersion, oldest: oldestWire },
): 'fits' | 'too-old' | 'too-new' {
  if (device.version < server.oldest) return 'too-old'
  return device.oldest > server.version ? 'too-new' : 'fits'
}
