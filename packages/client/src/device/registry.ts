import type { DeviceStorage, ErasedRow } from '../database/contract.ts'

/**
 * The register of devices. It contains the last user of each url, so that a device can open offline before it has a token. It
 * also contains the erased databases, by the name of their device's first writer, so that no remaining tab restores one, and
 * one whose deletion was interrupted is not opened again.
 */
export async function lastVisitor({ register }: DeviceStorage, url: string): Promise<string | undefined> {
  return register('r', async ({ visits }) => (await visits.get(url))?.user)
}

/** Writes nothing if this is already noted: a device can also open on a full disk. */
export async function noteVisit(storage: DeviceStorage, url: string, user: string): Promise<void> {
  if ((await lastVisitor(storage, url)) === user) return
  await storage.register('rw', async ({ visits }) => visits.put({ url, user }))
}

/** Why a device was erased, as the code that its other tabs report: the app erased it, or the account was erased [D7]. */
export type Erasure = NonNullable<ErasedRow['why']>

/** Call this before the database of this device is deleted. Resolves to whether it was noted for the first time. */
export async function noteErased({ register }: DeviceStorage, device: string, why: Erasure): Promise<boolean> {
  return register('rw', async ({ erased }) => {
    if (await erased.get(device)) return false
    await erased.put({ writer: device, why })
    return true
  })
}

/** Resolves to `undefined` when the device was not erased. */
export async function erasureOf({ register }: DeviceStorage, device: string): Promise<Erasure | undefined> {
  return register('r', async ({ erased }) => {
    const row = await erased.get(device)
    return row && (row.why ?? 'closed')
  })
}

/** Deletes this user's visit; another user's stays. */
export async function forgetVisit({ register }: DeviceStorage, url: string, user: string): Promise<void> {
  await register('rw', async ({ visits }) => {
    if ((await visits.get(url))?.user === user) await visits.delete(url)
  })
}
