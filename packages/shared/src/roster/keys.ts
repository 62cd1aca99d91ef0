import { isUserId } from '../user-id.ts'

/** The root maps of a roster document (protocol `kith.v1`): new ones need `kith.v2`. */
export const rosterRoots = [
  'contacts', // user id → true
  'labels', // user id → string
  'grants', // <level>/<user id> → true
  'subscriptions', // user id → true
  'declined', // user id → true
  'blocks', // <nonce>/<user id> → true
  'confirmed', // <incarnation>/<user id> → true
  'privacy', // <nonce>/<name of a privacy setting> → true
  'settings', // name → string, number or boolean
] as const

export type RosterRoot = (typeof rosterRoots)[number]

export const highestLevel = 255

/** A level names an audience: an integer from 0 (public) to 255. */
export function isLevel(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= highestLevel
}

export function grantKey(level: number, user: string): string {
  return `${level}/${user}`
}

/** Returns `undefined` when the key does not have the form `<level>/<user id>`, with the level in decimal, no leading zeros. */
export function parseGrantKey(key: string): { level: number; user: string } | undefined {
  const slash = key.indexOf('/')
  const level = Number(key.slice(0, slash))
  const user = key.slice(slash + 1)
  if (slash < 1 || !isLevel(level) || String(level) !== key.slice(0, slash) || !isUserId(user)) return undefined
  return { level, user }
}

/** Blocks and privacy settings have a nonce, new for each addition, so that removing one keeps additions not seen yet [R4]. */
export function nonceKey(nonce: string, name: string): string {
  return `${nonce}/${name}`
}

/** Whether a text is 8–16 characters of base64url. */
export function isNonce(text: string): boolean {
  return /^[A-Za-z0-9_-]{8,16}$/.test(text)
}

/** Returns `undefined` when the key is not `<8–16 characters of base64url>/<name>`. */
export function parseNonceKey(key: string): { nonce: string; name: string } | undefined {
  const match = /^([A-Za-z0-9_-]{8,16})\/(.+)$/s.exec(key)
  return match ? { nonce: match[1] as string, name: match[2] as string } : undefined
}

/** The names in `privacy` that narrow an audience; without them, it is everyone. */
export interface AudienceNames {
  contacts: string
  nobody: string
}

/** Who sees level 0. */
export const publicAudienceNames: AudienceNames = { contacts: 'contactsOnly', nobody: 'nobody' }
/** Whose messages reach the user. */
export const messageAudienceNames: AudienceNames = { contacts: 'messagesContactsOnly', nobody: 'messagesNobody' }

/** Hides from others whether the user is online. */
export const hidePresenceName = 'hidePresence'

/** The names in `privacy` that this version enforces. */
export const privacyNames: readonly string[] = [
  ...Object.values(publicAudienceNames),
  ...Object.values(messageAudienceNames),
  hidePresenceName,
]

/** The most bytes of a name in `settings` or `privacy`, which may be new to a server. */
export const maxNameBytes = 64

/** The user that a key of this root is about; `undefined` for privacy and settings, and for a malformed key. */
export function userOfKey(root: RosterRoot, key: string): string | undefined {
  switch (root) {
    case 'contacts':
    case 'labels':
    case 'subscriptions':
    case 'declined':
      return isUserId(key) ? key : undefined
    case 'grants':
      return parseGrantKey(key)?.user
    case 'blocks':
    case 'confirmed': {
      const name = parseNonceKey(key)?.name
      return isUserId(name) ? name : undefined
    }
    case 'privacy':
    case 'settings':
      return undefined
  }
}
