import { type Kith, openKith } from '@kith/client'
import type { Audience, ContactEdit } from '@kith/shared'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { WebSocket } from 'ws'
import type { Device } from '../../support/raw-device.ts'
import type { World } from '../../support/server-world.ts'

/** A device of the owner: on the bare wire, or an app with its database. */
export interface OwnerDevice {
  edit(user: string, edit: ContactEdit): Promise<void>
  setAudience(audience: Audience): Promise<void>
  setField(name: string, value: string, level: number): Promise<void>
  /** Resolves when its changes are on the server's disk. */
  settle(): Promise<void>
  leave(): Promise<void>
  /** Connects, and settles. */
  come(): Promise<void>
  end(): Promise<void>
}

export function bareDevice(device: Device): OwnerDevice {
  return {
    edit: async (user, edit) => device.edit(user, edit),
    setAudience: async audience => device.setAudience(audience),
    setField: async (name, value, level) => device.setField(name, value, level),
    async settle() {
      if (!(await device.barrier())) throw new Error('the server did not take what the owner wrote')
    },
    leave: () => device.close(),
    come: () => device.signIn(),
    end: () => device.close(),
  }
}

export async function app(world: World, user: string): Promise<OwnerDevice> {
  const kith: Kith = await openKith({
    url: world.url.replace('http', 'ws'),
    token: () => world.token(user),
    user,
    indexedDB: new IDBFactory(),
    IDBKeyRange,
    WebSocket,
  })
  return {
    async edit(user, { levels, isBlocked }) {
      const profile = kith.getProfile(user)
      if (levels !== undefined) profile.setProfileAccessLevels(levels)
      if (isBlocked !== undefined) profile.block(isBlocked)
      await profile.save()
    },
    setAudience: audience => kith.setPublicAudience(audience),
    setField: (name, value, level) => kith.ownProfile.set(name, value, { level }),
    settle: () => kith.whenSynced(),
    leave: async () => kith.disconnect(),
    async come() {
      kith.connect()
      await kith.whenSynced()
    },
    end: () => kith.close(),
  }
}
