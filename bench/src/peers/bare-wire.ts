const requestByte = 0x01
const headerBytes = 9

/** A request for `count` messages of `bytes` bytes; what follows the header only has a size. */
export function request(count: number, bytes: number, body: Uint8Array = new Uint8Array()): Uint8Array {
  const message = Buffer.alloc(headerBytes + body.length)
  message[0] = requestByte
  message.writeUInt32BE(count, 1)
  message.writeUInt32BE(bytes, 5)
  message.set(body, headerBytes)
  return message
}

/** What a request asks for; `undefined`: the message is for everybody. */
export function answerRequest(message: Buffer): { count: number; message: Uint8Array } | undefined {
  if (message[0] !== requestByte) return undefined
  return { count: message.readUInt32BE(1), message: new Uint8Array(message.readUInt32BE(5)) }
}
