import { isUserId } from '@kith/client'
import { t } from '../texts/texts.ts'

/** The user and the name of a device: `alice` and `phone`. */
export interface DeviceName {
  user: string
  device: string
}

/** Whether a value names a device that can be opened. */
export function isDeviceName(value: unknown): value is DeviceName {
  const { user, device } = (value ?? {}) as Partial<DeviceName>
  return isUserId(user) && typeof device === 'string' && device !== '' && !/\p{Cs}/u.test(device)
}

/** In words, for the middle of a sentence: “Alice’s phone”. */
export function titleOf({ user, device }: DeviceName): string {
  return t.device.title(personName(user), device)
}

/** A user id as a heading: `alice` and `alice@example.org` are “Alice”; numbers and other ids stay as they are. */
export function personName(user: string): string {
  const word = /^(\p{Ll}\p{L}*)(@[^@]+)?$/u.exec(user)?.[1]
  return word ? word.charAt(0).toUpperCase() + word.slice(1) : user
}

export function isSameDevice(one: DeviceName, other: DeviceName): boolean {
  return one.user === other.user && one.device === other.device
}

/** The database of a device. All windows that show the device share it. */
export function databaseOf({ user, device }: DeviceName): string {
  return `kith-demo:${encodeURIComponent(user)}:${encodeURIComponent(device)}`
}

/** The address of a window that shows this device alone. */
export function hashOf({ user, device }: DeviceName): string {
  return `#${encodeURIComponent(user)}/${encodeURIComponent(device)}`
}

/** Returns `undefined` when the address names no device. */
export function nameInHash(hash: string): DeviceName | undefined {
  const match = /^#([^/]+)\/([^/]+)$/.exec(hash)
  if (!match) return undefined
  try {
    const name = { user: decodeURIComponent(match[1] as string), device: decodeURIComponent(match[2] as string) }
    return isDeviceName(name) ? name : undefined
  } catch {
    return undefined
  }
}
