import { type RosterRoot, userOfKey } from '@kith/shared'
import type { ChangedKey } from './own-document.ts'

/** Adds the users that changed keys of a roster name. */
export function addUsers(users: Set<string>, keys: readonly ChangedKey[]): void {
  for (const { root, key } of keys) {
    const user = userOfKey(root as RosterRoot, key)
    if (user !== undefined) users.add(user)
  }
}
