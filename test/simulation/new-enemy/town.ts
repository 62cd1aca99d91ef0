import type { Device } from '../../support/raw-device.ts'
import type { World } from '../../support/server-world.ts'
import type { Gates } from './gates.ts'
import type { OwnerDevice } from './owner-device.ts'

/** Alice, who owns the secret; Bob, from whom she takes her trust; Carol, who keeps it. */
export interface Town {
  readonly world: World
  readonly gates: Gates
  /** Alice's. */
  readonly phone: OwnerDevice
  /** The wire beneath Alice's phone, when there is no app on it. */
  readonly wire: Device | undefined
  readonly bob: Device
  readonly carol: Device
  /** Where the secret will stand. */
  readonly level: number
}

/** Written after Bob was shut out; no other byte of a story looks like it. */
export const secret = 'a-secret-from-bob'

/** One of the steps in which the owner shuts Bob out and writes the secret; resolves when it is on the server's disk. */
export type Act = () => Promise<void>

export async function writeSecret(device: OwnerDevice, { level }: Town): Promise<void> {
  await device.setField('place', secret, level)
}

/** Whatever was under way has come as far as it can without the test. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** The server has taken in every frame that the device sent. */
export async function taken(device: Device): Promise<void> {
  const answer = device.next('awareness')
  device.send({ type: 'queryAwareness' })
  await answer
}
