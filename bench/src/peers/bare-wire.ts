const requestByte = 0x01
const headerBytes = 9

/** Encodes a request for `count` messages of `bytes` bytes. Only the size of the part after the header matters. */
export function request(count: number, bytes: number, body: Uint8Array = new Uint8Array()): Uint8Array {
  const message = Buffer.alloc(headerBytes + body.length)
  message[0] = requestByte
  message.writeUInt32BE(count, 1)
  message.writeUInt32BE(bytes, 5)
  message.set(body, headerBytes)
  return message
}

/** Decodes what a request asks for; `undefined`: the message is for all connections. */
export function answerRequest(message: Buffer): { count: number; message: Uint8Array } | undefined {
  if (message[0] !== requestByte) return undefined
  return { count: message.readUInt32BE(1), message: new Uint8Array(message.readUInt32BE(5)) }
}
