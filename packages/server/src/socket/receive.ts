import { closeCodes } from '@kith/shared'
import {
  type DeviceMessage,
  decodeFrame,
  decodeNewerFrame,
  isYProtocols,
  type Malformed,
  wireVersion,
} from '@kith/shared/wire'
import { costOf, forBytes } from './cost.ts'
import type { DeviceSocket } from './device-socket.ts'
import { refuse } from './direct-messages.ts'
import { handle } from './handle.ts'
import { Inbox } from './inbox.ts'
import { closeReason, type Session } from './session.ts'
import { mostUnfinishedBytes } from './unfinished-frames.ts'

const deviceMessages: ReadonlySet<string> = new Set<DeviceMessage['type']>([
  'rosterSync',
  'deflatedRoster',
  'awareness',
  'queryAwareness',
  'hello',
  'ownProfile',
  'barrier',
  'fetch',
  'sendMessage',
  'received',
  'renew',
  'watch',
])

/** Type, step and length of a y-protocols message, so that a roster of exactly the limit's size still fits. */
const maxSyncHeaderBytes = 16

/** A frame that waits for its turn, and its cost. A frame without a message is skipped. */
interface Arrived {
  message?: DeviceMessage
  cost: number
}

/**
 * Receives a device's frames. Each frame is bounded, decoded, counted and charged before it is handled. A frame that breaks a
 * rule ends this session with a code, and no other session [S1][S3].
 */
export function receive(session: Session, socket: DeviceSocket, address: string): void {
  const { user, context, allowance, outbound } = session
  const { accounts, limits, clock } = context
  const inbox = new Inbox<Arrived>({
    waitMs: () => allowance.debtMs,
    turn: () => allowance.nextTurn,
    backlog: () => accounts.backlog(user, 2 * limits.rosterBytes),
    after: (delayMs, task) => clock.after(delayMs, task),
    handle: arrived => handleOne(session, arrived),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  })
  session.readsFrom(inbox)
  socket.on('message', (data, isBinary) => {
    if (session.isReading) take(session, inbox, data, isBinary)
  })
  // Only one answer to each ping is expected. All other control frames count as writes.
  socket.on('pong', data => {
    if (!outbound.isAnswer(data) && !session.isClosed) session.isWithinWrites()
  })
  socket.on('ping', data => {
    if (!session.isClosed && session.isWithinWrites()) socket.pong(data)
  })
  socket.on('unfinished', () => boundUnfinished(session, address))
  socket.on('close', () => context.unfinished.note(address, session, 0))
}

/**
 * Bounds unfinished frames: they may take as much as two of the largest frames on all sockets of the user together, and as
 * eight on all sockets of the address [S3].
 */
function boundUnfinished(session: Session, address: string): void {
  const { relay, limits, unfinished } = session.context
  unfinished.note(address, session, session.heldBytes)
  if (session.isClosed) return
  let bytes = 0
  for (const other of relay.sessionsOf(session.user)) bytes += other.heldBytes
  if (bytes > mostUnfinishedBytes(limits)) return session.cutOff('too much begun at once')
  unfinished.largestBeyond(address)?.cutOff('too much begun at once from one address')
}

function take(session: Session, inbox: Inbox<Arrived>, data: Buffer, isBinary: boolean): void {
  const { limits } = session.context
  if (!isBinary) return session.end('protocol-violation', 'binary frames only')
  if (data.length > (isYProtocols(data) ? limits.rosterBytes + maxSyncHeaderBytes : limits.frameBytes)) {
    return session.end('frame-too-large', 'the frame is larger than the limit')
  }
  const message = session.isNewer ? decodeNewerFrame(data) : decodeFrame(data)
  if (message.type === 'malformed') return unread(session, inbox, message, data.length)
  // Later frames may arrive before the hello is handled.
  if (message.type === 'hello') session.isNewer ||= message.version > wireVersion
  // A device may write only its own user's profile [V9].
  if (message.type === 'profile' || message.type === 'difference')
    return session.end('not-your-roster', 'a profile of another user')
  if (!deviceMessages.has(message.type)) return session.end('protocol-violation', 'not a message of a device')
  if (message.type === 'sendMessage') {
    const retryAfterMs = session.allowance.takeMessage()
    // Each refusal counts as a write, so a device that keeps sending is closed.
    if (retryAfterMs > 0) {
      if (session.isWithinWrites()) refuse(session, message.id, 'too-many-messages', retryAfterMs)
      return
    }
  } else if (!(message.type === 'received' && session.allowance.takeAcknowledgement()) && !session.isWithinWrites())
    return
  if (message.type === 'deflatedRoster' && message.size > limits.rosterBytes) {
    return session.end('frame-too-large', 'the update is larger than a roster may be')
  }
  const cost = costOf(message as DeviceMessage, data.length)
  if (cost === Number.POSITIVE_INFINITY) return session.end('malformed', 'no state vector')
  inbox.add({ message: message as DeviceMessage, cost })
}

/** A device with a later wire version has messages that may be skipped. Each still counts as a write and costs its bytes. */
function unread(
  session: Session,
  inbox: Inbox<Arrived>,
  { what, isOptional, isFromNewer }: Malformed,
  frameBytes: number,
): void {
  if (isOptional) {
    if (session.isWithinWrites()) inbox.add({ cost: 1 + forBytes(frameBytes) })
  } else if (isFromNewer) session.close(closeCodes.tooNew, closeReason('upgrade-required', what))
  else session.end('malformed', what)
}

function handleOne(session: Session, { message, cost }: Arrived): void {
  if (!session.isReading) return
  session.allowance.chargeFrame(cost)
  if (!message) return
  try {
    handle(session, message)
  } catch (error) {
    session.context.log.error({ user: session.user, type: message.type, err: error }, 'a handler failed')
    session.fail(error)
  }
}
