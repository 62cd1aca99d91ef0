import { KithError } from '@kith/shared'
import { checkUserId } from './api/arguments.ts'
import type { Clock } from './clock.ts'
import type { DeviceStorage } from './database/contract.ts'
import { lastVisitor } from './device/registry.ts'
import { patiently } from './device/storage-timeout.ts'
import type { KithOptions } from './options.ts'
import { askForToken, readToken } from './token.ts'

/** How long opening waits for a token function before it uses the last user of this url, in milliseconds. */
const tokenPatienceMs = 10_000

export interface ChosenUser {
  user: string
  /** A token that the token function returned meanwhile; the first connection uses it. */
  token: string | undefined
}

/**
 * Returns the user of this device: the user that the app passes, otherwise the user of the token. If a token function returns
 * no token now, it is the last user of this url. A token string that names no user opens no data.
 */
export async function chooseUser(
  options: KithOptions,
  url: string,
  storage: DeviceStorage,
  clock: Clock,
): Promise<ChosenUser> {
  const named = options.user === undefined ? undefined : checkUserId(options.user)
  const isAsked = named === undefined && options.connect !== false
  const token =
    typeof options.token === 'string' ? options.token : isAsked ? await askBriefly(options.token, clock) : undefined
  const subject = token === undefined ? undefined : readToken(token).user
  if (named !== undefined && subject !== undefined && named !== subject) {
    throw new KithError('wrong-user', `The token belongs to ${subject}, not to ${named}: pass the token of ${named}`)
  }
  if (typeof options.token === 'string' && named === undefined && subject === undefined) {
    throw new KithError(
      'unauthorised',
      'The token names no user id as its subject (sub): pass `user`, or another token',
    )
  }
  const user = named ?? subject ?? (await patiently(clock, () => lastVisitor(storage, url)))
  if (user === undefined)
    throw new KithError('user-required', 'The user is not known: pass `user`, or connect once with a token')
  return { user, token: typeof options.token === 'string' ? undefined : token }
}

/** Returns `undefined` when there is no token now. Connecting asks again. */
async function askBriefly(ask: () => string | Promise<string>, clock: Clock): Promise<string | undefined> {
  try {
    return await askForToken(ask, clock, tokenPatienceMs)
  } catch {
    return undefined // Connecting asks again, and reports an error then.
  }
}
