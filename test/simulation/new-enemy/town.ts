import type { Device } from '../../support/raw-device.ts'
import type { World } from '../../support/server-world.ts'
import type { Gates } from './gates.ts'
import type { OwnerDevice } from './owner-device.ts'

/** Alice owns the secret. She withdraws her trust from Bob; Carol keeps it. */
export interface Town {
  readonly world: World
  readonly gates: Gates
  /** Alice's phone. */
  readonly phone: OwnerDevice
  /** The wire beneath Alice's phone, if no app runs on it. */
  readonly wire: Device | undefined
  readonly bob: Device
  readonly carol: Device
  /** The level at which the secret is written. */
  readonly level: number
}

/** Written after Bob was shut out. No other bytes of a story equal it. */
export const secret = 'a-secret-from-bob'

/** One of the steps in which the owner shuts Bob out and writes the secret. Resolves when it is on the server's disk. */
export type Act = () => Promise<void>

export async function writeSecret(device: OwnerDevice, { level }: Town): Promise<void> {
  await device.setField('place', secret, level)
}

/** Resolves when everything under way has progressed as far as it can without the test. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** Resolves when the server has processed every frame that the device sent. */
export async function taken(device: Device): Promise<void> {
  const answer = device.next('awareness')
  device.send({ type: 'queryAwareness' })
  await answer
}
