import type { ContentLimits } from '../limits.ts'
import { type Decoder, type Encoder, ensure, readUint, writeUint } from './codec.ts'

/** 101, server → device, the answer to a hello. */
export interface Welcome {
  type: 'welcome'
  /**
   * The cursor was of no use (another store, too old, none): keep all replicas out of view until they come anew, and drop
   * those that did not once the server knows this device's roster and the feed has caught up with it.
   */
  isFresh: boolean
  /** The limits that changes must meet on this server. */
  limits: ContentLimits
}

export const welcomeType = 101

const limitNames = [
  'rosterBytes',
  'profileBytes',
  'profileLevels',
  'fieldNameBytes',
  'labelBytes',
  'messageBytes',
  // Newer ones come last.
  'relations',
] as const satisfies readonly (keyof ContentLimits)[]

export function writeWelcome(encoder: Encoder, message: Welcome): void {
  writeUint(encoder, message.isFresh ? 1 : 0)
  for (const name of limitNames) writeUint(encoder, message.limits[name])
}

export function readWelcome(decoder: Decoder): Welcome {
  const flags = readUint(decoder)
  ensure(flags <= 1, `flags ${flags}`)
  const limits = Object.fromEntries(limitNames.map(name => [name, readUint(decoder)]))
  return { type: 'welcome', isFresh: flags === 1, limits: limits as unknown as ContentLimits }
}
