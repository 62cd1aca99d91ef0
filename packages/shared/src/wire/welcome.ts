import type { ContentLimits } from '../limits.ts'
import { type Decoder, type Encoder, ensure, readBytes, readUint, writeBytes, writeUint } from './codec.ts'
import { maxIncarnationBytes } from './hello.ts'

/** 101, server → device, the answer to a hello. */
export interface Welcome {
  type: 'welcome'
  /**
   * The cursor was of no use (another store, too old, none): keep all replicas hidden until they are repeated, and drop
   * those that did not once the server knows this device's roster and the feed has caught up with it.
   */
  isFresh: boolean
  /**
   * The account that the device synced with was erased [D7]: the device deletes all that it holds, and sends nothing more. The
   * server closes with 4403 after this.
   */
  isErased: boolean
  /** The account's present incarnation, opaque bytes: the device stores it, and declares it in each later `hello`. */
  incarnation: Uint8Array
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
  writeUint(encoder, (message.isFresh ? 1 : 0) | (message.isErased ? 2 : 0))
  writeBytes(encoder, message.incarnation)
  for (const name of limitNames) writeUint(encoder, message.limits[name])
}

export function readWelcome(decoder: Decoder): Welcome {
  const flags = readUint(decoder)
  ensure(flags <= 3, `flags ${flags}`)
  const incarnation = readBytes(decoder, maxIncarnationBytes)
  const limits = Object.fromEntries(limitNames.map(name => [name, readUint(decoder)]))
  return {
    type: 'welcome',
    isFresh: (flags & 1) === 1,
    isErased: (flags & 2) === 2,
    incarnation,
    limits: limits as unknown as ContentLimits,
  }
}
