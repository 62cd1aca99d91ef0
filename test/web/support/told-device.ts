import type { Kith, KithOptions } from '@kith/client'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { type Happening, recordingWebSocket } from '../../../examples/web/src/trace/recording-socket.ts'
import { Teller } from '../../../examples/web/src/trace/teller.ts'
import type { Kind, Told } from '../../../examples/web/src/trace/told.ts'
import type { Backend } from '../../support/backend.ts'

/** A real device whose wire is recorded and described. */
export interface ToldDevice {
  readonly kith: Kith
  readonly happenings: readonly Happening[]
  /** Returns the sentences so far of these kinds, or of all kinds. Each is returned once. */
  hear(...kinds: Kind[]): string[]
}

export const PlatformSocket = WebSocket as unknown as typeof globalThis.WebSocket

export async function toldDevice(
  { device }: Backend,
  user: string,
  name: string,
  options: Partial<KithOptions> = {},
): Promise<ToldDevice> {
  const happenings: Happening[] = []
  const failed: unknown[] = []
  const teller = new Teller({ device: name, user })
  let told: Told[] = []
  const tell = (happening: Happening): void => {
    happenings.push(happening)
    told.push(teller.tell(happening))
  }
  const recorded = { WebSocket: PlatformSocket, report: (error: unknown) => failed.push(error) }
  const kith = await device(user, { WebSocket: recordingWebSocket(tell, recorded), ...options })
  onTestFinished(() => {
    if (failed.length > 0) throw failed[0]
  })
  return {
    kith,
    happenings,
    hear: (...kinds) => {
      const heard = told.filter(({ kind }) => kinds.length === 0 || kinds.includes(kind)).map(({ text }) => text)
      told = []
      return heard
    },
  }
}
