import type { DeviceName } from '../devices/name.ts'
import type { Brief } from './brief.ts'
import type { Told } from './told.ts'

/** An event on the wire of a device. */
export interface Entry extends Told {
  id: string
  name: DeviceName
  atMs: number
  /** From the device's point of view; absent for opening and closing. */
  direction: 'sent' | 'received' | undefined
  /** The bytes of the frame. */
  frame: Uint8Array | undefined
  brief: Brief
}
