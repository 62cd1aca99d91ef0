import { alternate, type Contestant, type Workload } from '../measure/rounds.ts'
import type { RawDevice } from '../raw-device.ts'
import { collecting } from '../workloads/idle.ts'
import { startKith } from '../workloads/kith.ts'
import { type Size, sized } from '../workloads/size.ts'
import {
  committing,
  fanOut,
  idle,
  newDevices,
  phoneBook,
  prepared,
  returning,
  type Served,
  starting,
} from './contestants.ts'
import type { Population } from './population.ts'

interface Folder {
  readonly folder: string
  readonly population: Population
}

/** Measures W1 to W6 in small forms, and the start, on each of these folders in turn. It changes the folders. */
export async function besideSmall(folders: readonly Folder[], size: Size): Promise<Workload[]> {
  const named = folders.map(one => ({ ...one, name: `${one.population.size} users` }))
  const left = new Map<string, { returning: RawDevice[]; idle: RawDevice[] }>()
  for (const one of named) left.set(one.name, await prepared(one, size))
  const workloads = [
    await alternate({ id: 'start', title: 'until the server listens' }, named.map(starting), size.rounds),
  ]
  const served: Served[] = []
  try {
    for (const one of named) {
      served.push({ ...one, server: await startKith({ folder: one.folder, nodeArguments: collecting }) })
    }
    const compare = async (
      id: string,
      title: string,
      make: (one: Served) => Contestant | Promise<Contestant>,
    ): Promise<void> => {
      const contestants: Contestant[] = []
      for (const one of served) contestants.push(await make(one))
      workloads.push(await alternate({ id, title }, contestants, size.rounds))
      console.log(`${id}: measured`)
    }
    const leftOf = ({ name }: Served): { returning: RawDevice[]; idle: RawDevice[] } =>
      left.get(name) as { returning: RawDevice[]; idle: RawDevice[] }
    await compare('W3', 'a device returns', one => returning(one, leftOf(one).returning, size))
    await compare('W2', 'a new device', one => newDevices(one, size))
    await compare('W4', 'devices stay', one => idle(one, leftOf(one).idle, size))
    await compare('W1', 'the most followed owner edits', one => fanOut(one, size))
    await compare('W6', '1 device', one => committing(one, 1, size))
    const many = sized(size, 64, 4)
    await compare('W6', `${many} devices`, one => committing(one, many, size))
    await compare('W5', 'a phone book', one => phoneBook(one, size))
    return workloads
  } finally {
    for (const { server } of served) await server.stop()
  }
}
