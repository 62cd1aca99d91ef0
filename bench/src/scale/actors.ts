import { RawDevice } from '../raw-device.ts'
import type { ServerProcess } from '../server-process.ts'
import type { Population } from './population.ts'

/**
 * Roles of users. Each role has a tenth of the users of its own, so that no role finds data that another has loaded into
 * memory.
 */
const roles = { fans: 0, new: 1, returning: 2, returningToo: 3, idle: 4, idleToo: 5, writers: 6 } as const
const tenths = 10

/**
 * Returns users of a role, spread over the whole population. They have the same places in their towns in a population of any
 * size.
 */
export function actors(population: Population, role: keyof typeof roles, count: number): string[] {
  const members = Math.floor(population.usersOfTown / tenths)
  if (count > members)
    throw new Error(`a town of ${population.usersOfTown} has ${members} users for a role, not ${count}`)
  const numbers = population.spread(count, index => tenths * Math.floor((index * members) / count) + roles[role])
  return numbers.map(number => {
    if (role === 'fans' && !population.follows(number, 0)) throw new Error(`user ${number} is no follower`)
    return population.user(number)
  })
}

/** Returns a new device of a user who has connected before. It has caught up, and has the user's documents. */
export async function newDevice(server: ServerProcess, user: string): Promise<RawDevice> {
  const device = new RawDevice(user)
  await device.connect(server, await server.token(user), true)
  return device
}

/** Returns a device after it has disconnected, with a cursor that covers all its data. */
export async function leftDevice(server: ServerProcess, user: string): Promise<RawDevice> {
  const first = await newDevice(server, user)
  first.close()
  const again = first.restarted()
  await again.connect(server, await server.token(user), true)
  again.close()
  return again
}
