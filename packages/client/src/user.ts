import { KithError } from '@kith/shared'
import { checkUserId } from './api/arguments.ts'
import type { Clock } from './clock.ts'
import type { DatabaseOptions } from './database/schema.ts'
import { lastVisitor } from './device/registry.ts'
import { patiently } from './device/storage-timeout.ts'
import type { KithOptions } from './options.ts'
import { askForToken, readToken } from './token.ts'

/** How long opening waits for a token function, in milliseconds, before it takes the last visitor. */
const tokenPatienceMs = 10_000

export interface ChosenUser {
  user: string
  /** A token that was had on the way, for the first connect. */
  token: string | undefined
}

/**
 * Whose device this is: as the app says, else the token. Only with a token function, else the last visit to this url: a
 * token that is a string and names no user opens nobody's data.
 */
export async function chooseUser(
  options: KithOptions,
  url: string,
  database: DatabaseOptions,
  clock: Clock,
): Promise<ChosenUser> {
  const named = options.user === undefined ? undefined : checkUserId(options.user)
  const isAsked = named === undefined && options.connect !== false
  const token =
    typeof options.token === 'string' ? options.token : isAsked ? await askBriefly(options.token, clock) : undefined
  const subject = token === undefined ? undefined : readToken(token).user
  if (named !== undefined && subject !== undefined && named !== subject) {
    throw new KithError('wrong-user', `The token is ${subject}'s, not ${named}'s`)
  }
  if (typeof options.token === 'string' && named === undefined && subject === undefined) {
    throw new KithError(
      'unauthorised',
      'The token names no user id as its subject (sub): pass `user`, or another token',
    )
  }
  const user = named ?? subject ?? (await patiently(clock, () => lastVisitor(database, url)))
  if (user === undefined) throw new KithError('user-required', 'No user is known for this url yet: pass `user`')
  return { user, token: typeof options.token === 'string' ? undefined : token }
}

/** `undefined` when no token can be had now: then the last visit tells the user, and connecting will ask again. */
async function askBriefly(ask: () => string | Promise<string>, clock: Clock): Promise<string | undefined> {
  try {
    return await askForToken(ask, clock, tokenPatienceMs)
  } catch {
    return undefined // Not lost: connecting asks again, and reports what it then meets.
  }
}
