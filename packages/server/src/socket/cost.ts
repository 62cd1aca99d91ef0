import type { DeviceMessage } from '@kith/shared/wire'
import { clientsNamed } from '../documents/state-vector.ts'

/**
 * The server's cost of a frame, in units of work. One unit is about one small write, half a millisecond or less. The cost is
 * known from the frame alone, so it is charged before anything is done [S3]. Costs that the frame does not show (the size of an
 * answer, the relations that a switch touches) are charged as soon as they are known, and paid before the user's next frame.
 */
export function costOf(message: DeviceMessage, frameBytes: number): number {
  const bytes = message.type === 'deflatedRoster' ? Math.max(frameBytes, message.size) : frameBytes
  return costByType[message.type] + forBytes(bytes) + forNames(message)
}

const costByType: Readonly<Record<DeviceMessage['type'], number>> = {
  rosterSync: 1,
  deflatedRoster: 1,
  ownProfile: 1,
  awareness: 1,
  queryAwareness: 1,
  barrier: 1,
  received: 0,
  sendMessage: 2,
  fetch: 2,
  watch: 1,
  // For the verification of a signature.
  renew: 8,
  // For reading the feed. The cost beyond this grows with the relations, and is charged by `forRelations`.
  hello: 8,
}

function forNames(message: DeviceMessage): number {
  switch (message.type) {
    case 'hello':
      return message.owners?.length ?? 0
    case 'watch':
      return Math.floor(message.owners.length / 16)
    case 'rosterSync':
    case 'ownProfile':
      return message.step === 'step1' ? forClients(clientsNamed(message.payload)) : 0
    default:
      return 0
  }
}

/** For bytes that are read, checked, merged and written, or encoded for an answer. */
export function forBytes(bytes: number): number {
  return Math.floor(bytes / 4096)
}

/** For reading through a whole document in memory. */
export function forLook(documentBytes: number): number {
  return Math.floor(documentBytes / 65_536)
}

/** For relations that are read, or derived again. */
export function forRelations(count: number): number {
  return Math.floor(count / 32)
}

/** For a sign-in: a signature, a session, its documents. */
export const signInCost = 8

function forClients(count: number): number {
  return Math.floor(count / 64)
}
