import { setTimeout as pause } from 'node:timers/promises'
import type { Link } from '../link.ts'
import { endBackend } from './backends.ts'
import type { Faults } from './fault.ts'

/** Faults of connections. */
export const connectionFaults: Faults = {
  'connections to the database cut at random bytes': {
    weight: 4,
    async play({ cluster: { nodes, database } }, random) {
      for (let count = random.between(5, 20); count > 0; count--) {
        const { links } = random.pick(nodes)
        // Half of the cuts are within one answer, half are somewhere in a long stream.
        const bytes = random.fraction() < 0.5 ? random.between(1, 300) : random.between(1, 20_000)
        links.get(database.primaryPlace)?.cutAfter(bytes)
        await pause(random.below(250))
      }
    },
  },
  'backends cancelled and terminated': {
    weight: 3,
    async play({ cluster: { database } }, random) {
      for (let count = random.between(5, 25); count > 0; count--) {
        await endBackend(database.primary, random)
        await pause(random.below(150))
      }
    },
  },
  'a node that the database does not hear (packets lost)': {
    weight: 2,
    async play({ cluster: { nodes } }, random) {
      const links = [...random.pick(nodes).links.values()]
      for (const link of links) link.hold()
      await pause(random.between(500, 4_000))
      for (const link of links) link.release()
    },
  },
  'connections to devices cut at random bytes': {
    weight: 2,
    async play({ cluster: { fronts } }, random) {
      for (let count = random.between(5, 15); count > 0; count--) {
        const front = random.pick(fronts) as Link
        front.cutAfter(random.between(1, 3_000))
        await pause(random.below(150))
      }
    },
  },
}
