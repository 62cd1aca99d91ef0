import type { Kith } from '@kith/client'
import type { ContentLimits } from '@kith/shared'
import { coreOf, writeMeta } from './client-internals.ts'

/** Gives a device other limits, as a server that it was connected to would. */
export async function setLimits(kith: Kith, limits: Partial<ContentLimits>): Promise<void> {
  await coreOf(kith).store.work(({ db, documents }) => writeMeta(db, 'limits', { ...documents.limits, ...limits }))
}
