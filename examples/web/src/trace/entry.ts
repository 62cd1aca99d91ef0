import type { DeviceName } from '../devices/name.ts'
import type { Brief } from './brief.ts'
import type { Told } from './told.ts'

/** Something that went over the wire of a device. */
export interface Entry extends Told {
  id: string
  name: DeviceName
  atMs: number
  /** From the device's side; absent for opening and closing. */
  direction: 'sent' | 'received' | undefined
  /** The frame itself. */
  frame: Uint8Array | undefined
  brief: Brief
}
