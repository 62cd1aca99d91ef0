import type { OwnerDevice } from './owner-device.ts'
import type { Town } from './town.ts'

/** A way to shut Bob out, while Carol keeps her access. */
export interface Cause {
  /** As in `after …`. */
  name: string
  by: 'owner' | 'backend'
  /** The level that Bob loses. */
  level: number
  /** Lets both Bob and Carol see that level. */
  prepare(town: Town): Promise<void>
  take(town: Town, device: OwnerDevice): Promise<void>
}

export const causes: readonly Cause[] = [
  {
    name: 'a revocation',
    by: 'owner',
    level: 1,
    prepare: grantBoth,
    take: (_, device) => device.edit('bob', { levels: [] }),
  },
  {
    name: 'a block',
    by: 'owner',
    level: 1,
    prepare: grantBoth,
    take: (_, device) => device.edit('bob', { isBlocked: true }),
  },
  {
    name: 'privacy for contacts',
    by: 'owner',
    level: 0,
    prepare: ({ phone }) => phone.edit('carol', { levels: [] }),
    take: (_, device) => device.setAudience('contacts'),
  },
  {
    name: 'privacy for nobody',
    by: 'owner',
    level: 0,
    async prepare({ phone }) {
      await phone.edit('bob', { levels: [] })
      await phone.edit('carol', { levels: [5] })
    },
    take: (_, device) => device.setAudience('nobody'),
  },
  {
    name: 'the end of a pairing',
    by: 'backend',
    level: 1,
    async prepare(town) {
      await grantBoth(town)
      for (const other of ['bob', 'carol']) await backend(town, 'PUT', `/v1/pairs/alice/${other}`)
      await backend(town, 'PUT', '/v1/users/alice', { restricted: true })
    },
    take: town => backend(town, 'DELETE', '/v1/pairs/alice/bob'),
  },
  {
    name: 'a restriction',
    by: 'backend',
    level: 1,
    async prepare(town) {
      await grantBoth(town)
      await backend(town, 'PUT', '/v1/pairs/alice/carol')
    },
    take: town => backend(town, 'PUT', '/v1/users/alice', { restricted: true }),
  },
]

async function grantBoth({ phone }: Town): Promise<void> {
  for (const other of ['bob', 'carol']) await phone.edit(other, { levels: [1] })
}

async function backend({ world }: Town, method: string, path: string, body?: object): Promise<void> {
  const { status } = await world.admin(method, path, body)
  if (status >= 300) throw new Error(`the backend was answered with ${status}`)
}
