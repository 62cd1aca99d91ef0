import type { Workload } from '../measure/rounds.ts'
import { bulkSync } from './bulk-sync.ts'
import { commits } from './commits.ts'
import { famous } from './famous.ts'
import { fanOut } from './fan-out.ts'
import { idle } from './idle.ts'
import { newDevice } from './new-device.ts'
import { restart } from './restart.ts'
import { returning } from './return.ts'
import type { Size } from './size.ts'
import { tenYears } from './ten-years.ts'

/** Workloads for the purposes of Kith, and their cost. */
export const workloads: Readonly<Record<string, (size: Size) => Promise<Workload[]>>> = {
  W1: fanOut,
  W2: newDevice,
  W3: returning,
  W4: idle,
  W5: bulkSync,
  W6: commits,
  W7: famous,
  W8: restart,
  W9: tenYears,
}
