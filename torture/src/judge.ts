import { setMaxListeners } from 'node:events'
import { disagreements } from './agreement.ts'
import type { Api } from './backend.ts'
import { Breach, expectNothing } from './breach.ts'
import type { Device } from './device.ts'
import { devicesPerUser, users, writerOf } from './keys.ts'
import type { State } from './ledger.ts'
import { type Population, settlingMs } from './population.ts'

/** [D2][D3] Compares each device's promises with the documents that were found, by user. Returns the broken ones. */
export function brokenPromises({ devices }: Population, states: ReadonlyMap<string, State>): string[] {
  return devices.map(({ user, ledger }, index) => {
    const own = [...(states.get(user) ?? [])].filter(([key]) => writerOf(user, key) === index % devicesPerUser)
    return ledger.breach(new Map(own)) ?? ''
  })
}

/**
 * Checks that all devices settle in the same state, sometimes with a new device that has an empty database. Returns the number
 * of new devices.
 */
export async function comeBack(population: Population, api: Api): Promise<number> {
  const { random } = population
  const patience = AbortSignal.timeout(settlingMs)
  setMaxListeners(0, patience)
  let devices: Device[] = population.devices
  const visitors: Device[] = []
  try {
    if (random.fraction() < 0.3) visitors.push(await population.openDevice(random.pick(users)))
    devices = [...population.devices, ...visitors]
    for (let round = 0; round < 2; round++) await Promise.all(devices.map(device => device.settle(patience)))
  } catch (error) {
    const unsettled = devices.filter(({ kith }) => kith.status !== 'synced').map(({ ledger }) => ledger.writer)
    throw new Breach(`not everyone came back: ${unsettled.join(', ')} (${String(error)})`)
  }
  expectNothing(await disagreements(api, devices))
  for (const { ledger, errors } of devices) {
    expectNothing(errors.map(({ code, message }) => `${ledger.writer} was told of an error: ${code}: ${message}`))
  }
  for (const visitor of visitors) await visitor.close()
  return visitors.length
}
