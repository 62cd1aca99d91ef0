import { type Clock, openLevelStore } from '@kith/server'
import { startTestServer } from '@kith/server/testing'
import { defaultLimits } from '@kith/shared'
import { RawDevice } from '../raw-device.ts'
import { newDocument } from './documents.ts'
import type { Population } from './population.ts'

/** Rates apply to one user in a network. Here all users come from one address, as fast as they can. */
const rates = { connectionsPerAddress: 1_000_000, writesPerSecond: 1_000_000, writesBurst: 1_000_000 }
const limits = { ...defaultLimits, ...rates, workPerSecond: 1_000_000, workBurst: 1_000_000 }

/** Makes a data folder with this population as in real use: with a server, to which each device connects. */
export async function makeByDevices(population: Population, folder: string, clock: Clock): Promise<void> {
  const store = await openLevelStore(folder, { limits, clock })
  const server = await startTestServer({ store, limits, clock })
  try {
    for (const town of population.towns()) {
      const devices = new Map<string, RawDevice>()
      for (const step of town.steps()) {
        const known = devices.get(step.user)
        const device =
          known ?? new RawDevice(step.user, { roster: newDocument('roster'), profile: newDocument('profile') })
        devices.set(step.user, device)
        if (!known) await device.connect(server, await server.issueToken(step.user))
        // A device that only joins also waits until this is on the disk.
        if (step.part === 'joins') await device.edit('profile', [])
        else await device.edit(step.part, step.changes)
      }
      for (const device of devices.values()) device.close()
    }
  } finally {
    await server.close()
  }
}
