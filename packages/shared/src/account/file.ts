/**
 * The file of an account: all of the user's own data, and no data that other users show to them. The guide
 * `docs/guides/account.md` describes it.
 */
export interface AccountFile {
  format: 'kith-account'
  /** Raised with each change of the format. */
  version: 1
  /** The user id. */
  user: string
  /** When the file was made, in ISO 8601. */
  exportedAt: string
  /** The own profile: the fields of each level that has fields. */
  profile: { level: number; fields: Record<string, FileValue> }[]
  /** All users that the roster names, by user id. `false` and empty values are omitted. */
  contacts: FileContact[]
  /** The settings by name, such as `autoSync`. */
  settings: Record<string, Exclude<FileValue, { base64: string }>>
  /** The privacy settings that apply: `contactsOnly`, `nobody`, `messagesContactsOnly`, `messagesNobody`, `hidePresence`. */
  privacy: string[]
}

/** A user as a roster names them. */
export interface FileContact {
  id: string
  label?: string
  isContact?: true
  /** The levels granted to them. */
  levels?: number[]
  isSubscribed?: true
  /** Automatic following leaves them out. */
  isDeclined?: true
  isBlocked?: true
  /** The id has changed hands: the contact, the levels and the follow did not count, and are not imported [D7]. */
  hasChangedHands?: true
}

/** The value of a field. A value that JSON lacks is an object: bytes, and numbers such as `Infinity`. */
export type FileValue = string | number | boolean | { base64: string } | { number: string }

export const accountFormat = 'kith-account'
export const accountVersion = 1
