/** Larger payloads are not worth a copy. They are written after their header. */
const mostCopiedBytes = 64 * 1024
/** RFC 6455, 5.2: the message's last fragment, binary. A server masks nothing. */
const binaryMessage = 0x82
/** The length follows in 2 bytes. */
const length16 = 126

let lastPayload: Uint8Array | undefined
let lastFrame: Buffer | undefined

/**
 * Returns a message as the one websocket frame that is sent: header and payload in one piece, so that it takes one write. An
 * owner's level is sent to all followers one after the other, so the frame is built once for all of them. Returns `undefined`
 * for a large payload.
 */
export function wholeFrame(payload: Uint8Array): Buffer | undefined {
  if (payload === lastPayload) return lastFrame
  if (payload.length > mostCopiedBytes - 1) return undefined
  const isShort = payload.length < length16
  const frame = Buffer.allocUnsafe(payload.length + (isShort ? 2 : 4))
  frame[0] = binaryMessage
  frame[1] = isShort ? payload.length : length16
  if (!isShort) frame.writeUInt16BE(payload.length, 2)
  frame.set(payload, isShort ? 2 : 4)
  lastPayload = payload
  lastFrame = frame
  return frame
}
