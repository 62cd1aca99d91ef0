import type { MergeContext } from './server-internals.ts'

/** The context of a device that has the present generation of its documents, on day 0. */
export const mergeContext: MergeContext = { lapsingDay: 0, hasGeneration: true }
