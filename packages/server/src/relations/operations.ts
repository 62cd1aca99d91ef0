import { keys } from './keys.ts'
import { encodeUser } from './record-codec.ts'
import { noUser, type UserRecord } from './records.ts'

/** One record of a batch that is written to the disk. */
export type Operation = { type: 'put'; key: string; value: Uint8Array } | { type: 'del'; key: string }

/** A registered user's record is kept, also one that only waits, follows or spends; else it goes. */
export function userOperation(id: string, user: UserRecord): Operation {
  return operationOf(keys.user(id), isBlank(user) ? undefined : encodeUser(user))
}

export function operationOf(key: string, value: Uint8Array | undefined): Operation {
  return value ? { type: 'put', key, value } : { type: 'del', key }
}

const blankText = JSON.stringify(noUser)

function isBlank(user: UserRecord): boolean {
  return JSON.stringify(user) === blankText
}
