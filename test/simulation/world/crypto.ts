import { createHmac } from 'node:crypto'

const { subtle } = globalThis.crypto
const { importKey, sign, verify } = subtle
const keys = new Map<string, Promise<CryptoKey>>()
const secrets = new WeakMap<CryptoKey, Uint8Array>()

function mac(key: CryptoKey, data: Uint8Array): Buffer {
  return createHmac('sha256', secrets.get(key) as Uint8Array)
    .update(data)
    .digest()
}

/**
 * Computes HMAC immediately instead of in another thread. jose calls the platform's own function, which finishes at any time,
 * so that a history could not be repeated exactly. Covers only what HS256 needs. Resolves to a function that restores the
 * platform's own.
 */
export async function watchCrypto(secret: Uint8Array): Promise<() => void> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const known = Buffer.from(secret).toString('hex')
  for (const use of ['sign', 'verify'] as const) {
    const name = `${known} ${use}`
    if (!keys.has(name)) keys.set(name, importKey.call(subtle, 'raw', new Uint8Array(secret), algorithm, false, [use]))
    secrets.set(await (keys.get(name) as Promise<CryptoKey>), secret)
  }
  Object.assign(subtle, {
    importKey: (_format: string, bytes: Uint8Array, _algorithm: unknown, _isExtractable: boolean, [use]: string[]) =>
      keys.get(`${Buffer.from(bytes).toString('hex')} ${use}`),
    sign: async (_algorithm: unknown, key: CryptoKey, data: Uint8Array) => new Uint8Array(mac(key, data)).buffer,
    verify: async (_algorithm: unknown, key: CryptoKey, signature: Uint8Array, data: Uint8Array) =>
      mac(key, data).equals(Buffer.from(signature)),
  })
  return () => {
    Object.assign(subtle, { importKey, sign, verify })
  }
}
