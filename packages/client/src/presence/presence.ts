import type { PresenceState } from '@kith/shared/wire'

/** Whether a user has a connected device, or when they last had one. */
export type Presence =
  | { readonly isOnline: true }
  /** To the minute; absent if the server does not know. */
  | { readonly isOnline: false; readonly lastSeenAt?: Date }

/** The known presence by user. Nothing is known of a user who is absent. */
export type PresenceByUser = ReadonlyMap<string, Presence>

const minuteMs = 60_000

export function presenceOf(state: PresenceState): Presence | undefined {
  if (state.is === 'unknown') return undefined
  if (state.is === 'online') return { isOnline: true }
  const { lastSeenMinute: minute } = state
  return minute === undefined ? { isOnline: false } : { isOnline: false, lastSeenAt: new Date(minute * minuteMs) }
}

export function samePresence(a: Presence | undefined, b: Presence | undefined): boolean {
  return a?.isOnline === b?.isOnline && lastSeenMs(a) === lastSeenMs(b)
}

function lastSeenMs(presence: Presence | undefined): number | undefined {
  return presence?.isOnline === false ? presence.lastSeenAt?.getTime() : undefined
}
