import { setTimeout as pause } from 'node:timers/promises'
import { signalAll } from '../processes.ts'
import type { Faults } from './fault.ts'

/** Longer than the lease of a node. */
const pastLeaseMs = 2_500

/** Faults of nodes. */
export const nodeFaults: Faults = {
  'a node killed': {
    weight: 3,
    async play({ cluster }, random) {
      const node = random.pick(cluster.nodes)
      await node.kill()
      await pause(random.below(1_000))
      await node.start()
    },
  },
  'two nodes killed': {
    weight: 2,
    async play({ cluster }, random) {
      const left = random.pick(cluster.nodes)
      const others = cluster.nodes.filter(node => node !== left)
      await Promise.all(others.map(node => node.kill()))
      await Promise.all(others.map(node => node.start()))
    },
  },
  'all nodes killed': {
    weight: 1,
    async play({ cluster: { nodes } }) {
      await Promise.all(nodes.map(node => node.kill()))
      await Promise.all(nodes.map(node => node.start()))
    },
  },
  'a node asked to stop (SIGTERM)': {
    weight: 1,
    async play({ cluster }, random) {
      const node = random.pick(cluster.nodes)
      await node.end()
      await node.start()
    },
  },
  'a node stopped past its lease (SIGSTOP)': {
    weight: 5,
    async play({ cluster }, random) {
      const { pid } = random.pick(cluster.nodes)
      if (pid === undefined) return
      signalAll([pid], 'SIGSTOP')
      await pause(pastLeaseMs + random.below(1_500))
      signalAll([pid], 'SIGCONT')
    },
  },
}
