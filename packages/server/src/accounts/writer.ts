import type { Device } from '../device.ts'

/** A device's session, as its user's account sees it. */
export type Writer = Pick<
  Device,
  | 'signedInAt'
  | 'refuse'
  | 'resend'
  | 'committed'
  | 'looked'
  | 'fail'
  | 'founderOf'
  | 'hasGeneration'
  | 'noteFounder'
  | 'outdate'
>
