import { type ReactNode, useState } from 'react'
import { Button } from 'react-aria-components'
import { useChanges } from '../device/use-changes.ts'
import type { Device } from '../devices/device.ts'
import { t } from '../texts/texts.ts'
import type { Nodes, ServerNode } from './nodes.ts'

/** The nodes of the server side by side: the devices of this page that are connected to each, and a button that kills it. */
export function NodesPanel({ nodes, devices }: { nodes: Nodes; devices: readonly Device[] }): ReactNode {
  const all = useChanges(nodes.changes, () => nodes.all)
  const hasFailed = useChanges(nodes.changes, () => nodes.hasFailed)
  useChanges(nodes.changes, () => devices.map(({ name }) => nodes.nodeOf(name.user)).join())
  return (
    <section className="nodes" aria-label={t.nodes.title}>
      <ul>
        {all.map(node => (
          <NodeCard
            key={node.number}
            node={node}
            nodes={nodes}
            devices={devices.filter(
              ({ name, isSwitchedOn }) => isSwitchedOn && node.isRunning && nodes.nodeOf(name.user) === node.number,
            )}
          />
        ))}
      </ul>
      <p className="warning" role="status">
        {hasFailed && t.nodes.failed}
      </p>
    </section>
  )
}

interface NodeCardProps {
  node: ServerNode
  nodes: Nodes
  devices: readonly Device[]
}

function NodeCard({ node: { number, isRunning }, nodes, devices }: NodeCardProps): ReactNode {
  const [isBusy, setBusy] = useState(false)
  const change = async (): Promise<void> => {
    setBusy(true)
    await (isRunning ? nodes.kill(number) : nodes.start(number))
    setBusy(false)
  }
  return (
    <li data-running={isRunning}>
      <p className="node-name">
        {t.nodes.node(number)} <span className="quiet">{isRunning ? t.nodes.running : t.nodes.killed}</span>
      </p>
      <p className="node-devices">{devices.map(({ title }) => title).join(', ') || t.nodes.nobody}</p>
      <Button className={isRunning ? 'danger' : ''} isPending={isBusy} onPress={() => void change()}>
        {isRunning ? t.nodes.kill(number) : t.nodes.start(number)}
      </Button>
    </li>
  )
}
