import type { MergeContext } from './server-internals.ts'

/** Of a device that has the present generation of its documents, on the first of all days. */
export const mergeContext: MergeContext = { today: 0, hasGeneration: true }
