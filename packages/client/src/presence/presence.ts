import type { PresenceState } from '@kith/shared/wire'

/** Whether somebody has a device at their server, or when they last had. */
export type Presence =
  | { readonly isOnline: true }
  /** To the minute; absent where the server doesn't know. */
  | { readonly isOnline: false; readonly lastSeenAt?: Date }

/** What is known, by user; of whoever is absent nothing is. */
export type PresenceByUser = ReadonlyMap<string, Presence>

const minuteMs = 60_000

export function presenceOf(state: PresenceState): Presence | undefined {
  switch (state.is) {
    case 'unknown':
      return undefined
    case 'online':
      return { isOnline: true }
    case 'offline': {
      const { lastSeenMinute } = state
      return {
        isOnline: false,
        ...(lastSeenMinute !== undefined && { lastSeenAt: new Date(lastSeenMinute * minuteMs) }),
      }
    }
  }
}

export function samePresence(a: Presence | undefined, b: Presence | undefined): boolean {
  if (!a || !b || a.isOnline || b.isOnline) return a?.isOnline === b?.isOnline
  return a.lastSeenAt?.getTime() === b.lastSeenAt?.getTime()
}
