import { digest } from 'lib0/hash/sha256'
import { encodeUtf8 } from 'lib0/string'

/**
 * The file name of a database. The hash distinguishes `Ada` from `ada` on file systems that do not; the text before it is for
 * people who look into the folder.
 */
export function fileName(name: string): string {
  const readable = name
    .toLowerCase()
    .replace(/^kith:/, '')
    .replace(/[^a-z0-9.+@]+/g, '-')
    .slice(0, 60)
  const hash = [...digest(encodeUtf8(name)).slice(0, 8)]
  return `kith-${readable}-${hash.map(byte => byte.toString(16).padStart(2, '0')).join('')}.sqlite`
}
