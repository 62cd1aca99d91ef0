/** Limits that a change must meet [S3]: checked by the device before the change, by the server at admission. */
export interface ContentLimits {
  /** The live content of one roster: its entries, each as Yjs encodes it alone, in bytes. The private side always has room. */
  rosterBytes: number
  /** The content of one level of a profile: names, values and 32 for each field, in bytes. */
  profileBytes: number
  /** Levels of a profile that have at least one field. */
  profileLevels: number
  /** A field's name, in UTF-8 bytes. */
  fieldNameBytes: number
  /** A contact's label, in UTF-8 bytes. */
  labelBytes: number
  /** The text of a direct message, in UTF-8 bytes. */
  messageBytes: number
  /** Other users that one roster names, in any root. Removals, blocks and narrower privacy always have room. */
  relations: number
}

/** All limits of a server ([S3], [S4]). Setting: `KITH_LIMIT_<NAME>`, the name in capitals, as in `KITH_LIMIT_LABEL_BYTES`. */
export interface Limits extends ContentLimits {
  /**
   * A roster or a whole profile, including what Yjs keeps of removed entries (at least 10 bytes each), in bytes: a safety
   * bound, far above `rosterBytes`. It is at least twice the limit of the live content.
   */
  historyBytes: number
  /**
   * A roster or a whole profile is refounded, with its content and without its history, when the history takes at least this
   * many bytes and four times what the content takes, or comes near `historyBytes`. A roster is also refounded when the users
   * that it declined take a quarter of this.
   */
  refoundBytes: number
  /** A websocket frame that is not a y-protocols message of the own roster, in bytes. */
  frameBytes: number
  /** Profile bytes that were handed to one socket and not yet sent by the network. */
  outstandingBytes: number
  /** Follows that are served; further ones wait. */
  follows: number
  /** Unrequested owners of a viewer: owners who granted a level, without a follow [F4]. */
  unaskedOwners: number
  /** Owners whose presence one session receives. */
  watchedOwners: number
  messagesPerSecond: number
  messagesBurst: number
  writesPerSecond: number
  writesBurst: number
  /** The server's work for one user, over all of the user's devices, in units of about one small write. */
  workPerSecond: number
  workBurst: number
  connectionsPerUser: number
  connectionsPerAddress: number
  /**
   * First-time look-ups of a user [S4]. Source: Hagen et al., "All the Numbers are US: Large-scale Abuse of Contact
   * Discovery in Mobile Messengers", NDSS 2021.
   */
  lookups: number
  lookupsPerDay: number
}

export const defaultContentLimits: ContentLimits = {
  rosterBytes: 8 * 1024 * 1024,
  profileBytes: 64 * 1024,
  profileLevels: 16,
  fieldNameBytes: 64,
  labelBytes: 256,
  messageBytes: 16 * 1024,
  relations: 100_000,
}

export const defaultLimits: Limits = {
  ...defaultContentLimits,
  historyBytes: 32 * 1024 * 1024,
  refoundBytes: 256 * 1024,
  frameBytes: 1024 * 1024,
  outstandingBytes: 64 * 1024,
  follows: 20_000,
  unaskedOwners: 2_000,
  watchedOwners: 256,
  messagesPerSecond: 50,
  messagesBurst: 500,
  writesPerSecond: 200,
  writesBurst: 2_000,
  workPerSecond: 400,
  workBurst: 8_000,
  connectionsPerUser: 20,
  connectionsPerAddress: 10_000,
  lookups: 20_000,
  lookupsPerDay: 2_000,
}

/** The length of a string in UTF-8 bytes, where half a surrogate pair becomes U+FFFD. Needs no platform function. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit >= 0x80) bytes++
    if (unit < 0x800) continue
    bytes++
    const isPair = unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00
    if (isPair) index++ // Four bytes for two units.
  }
  return bytes
}
