import { type Decoder, type Encoder, ensure, readUint, readUserId, writeString, writeUint } from './codec.ts'

/**
 * 117, server → device: whether a watched user is online. `unknown`: not registered, not visible, blocked, hidden, or neither
 * followed nor fetched; the viewer cannot tell which [V8], and discards earlier presence.
 */
export interface Presence {
  type: 'presence'
  owner: string
  state: PresenceState
}

export type PresenceState =
  | { is: 'unknown' }
  | { is: 'online' }
  /** In minutes since 1970; absent if the server does not know. */
  | { is: 'offline'; lastSeenMinute?: number | undefined }

export const presenceType = 117

const states = ['unknown', 'online', 'offline'] as const

export function writePresence(encoder: Encoder, { owner, state }: Presence): void {
  writeString(encoder, owner)
  writeUint(encoder, states.indexOf(state.is))
  if (state.is === 'offline') writeUint(encoder, state.lastSeenMinute ?? 0)
}

export function readPresence(decoder: Decoder): Presence {
  const owner = readUserId(decoder)
  const is = states[readUint(decoder, 2)]
  ensure(is !== undefined, 'no state')
  if (is !== 'offline') return { type: 'presence', owner, state: { is } }
  const lastSeenMinute = readUint(decoder)
  return { type: 'presence', owner, state: { is, ...(lastSeenMinute > 0 && { lastSeenMinute }) } }
}
