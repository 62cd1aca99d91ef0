import type { DeviceStorage, ErasedRow } from '../database/contract.ts'

/**
 * The register of devices: who was here last, by url, so that a device can open offline before its token can be had. And
 * which databases were erased, by the name of their device's first writer: so that no tab that still lives brings one back,
 * and one whose deletion was cut short is not opened again.
 */
export async function lastVisitor({ register }: DeviceStorage, url: string): Promise<string | undefined> {
  return register('r', async ({ visits }) => (await visits.get(url))?.user)
}

/** Writes nothing when that is known: a device opens on a full disk, too. */
export async function noteVisit(storage: DeviceStorage, url: string, user: string): Promise<void> {
  if ((await lastVisitor(storage, url)) === user) return
  await storage.register('rw', async ({ visits }) => visits.put({ url, user }))
}

/** Why a device was erased, as the code that its other tabs report: the app erased it, or the account was erased [D7]. */
export type Erasure = NonNullable<ErasedRow['why']>

/** To be called before the database of this device is deleted. Returns whether it was noted for the first time. */
export async function noteErased({ register }: DeviceStorage, device: string, why: Erasure): Promise<boolean> {
  return register('rw', async ({ erased }) => {
    if (await erased.get(device)) return false
    await erased.put({ writer: device, why })
    return true
  })
}

/** `undefined` when it was not. */
export async function erasureOf({ register }: DeviceStorage, device: string): Promise<Erasure | undefined> {
  return register('r', async ({ erased }) => {
    const row = await erased.get(device)
    return row && (row.why ?? 'closed')
  })
}

/** Forgets this user's visit; another's stays. */
export async function forgetVisit({ register }: DeviceStorage, url: string, user: string): Promise<void> {
  await register('rw', async ({ visits }) => {
    if ((await visits.get(url))?.user === user) await visits.delete(url)
  })
}
