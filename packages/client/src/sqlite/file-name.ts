import { digest } from 'lib0/hash/sha256'
import { encodeUtf8 } from 'lib0/string'

/**
 * The name of the file of a database. The hash tells `Ada` from `ada` where the file system does not; what stands before
 * it is for people, who look into the folder.
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
