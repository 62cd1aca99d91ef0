import { type ReactNode, useState } from 'react'
import { DeviceCard } from '../device/device-card.tsx'
import { placeOf } from '../device/place.ts'
import { useChanges } from '../device/use-changes.ts'
import type { Devices } from '../devices/devices.ts'
import type { Nodes } from '../nodes/nodes.ts'
import { NodesPanel } from '../nodes/nodes-panel.tsx'
import { Story } from '../story/story.tsx'
import type { Trace } from '../trace/trace.ts'
import { AddDevice } from './add-device.tsx'
import { DeviceNav } from './device-nav.tsx'
import { Header } from './header.tsx'
import { Welcome } from './welcome.tsx'
import { WhatHappened } from './what-happened.tsx'

export interface PageProps {
  devices: Devices
  trace: Trace
  /** The nodes of a server that runs as several; otherwise absent. */
  nodes: Nodes | undefined
}

/** Several devices side by side, the messages between them and the server, and a story to click through. */
export function Page({ devices, trace, nodes }: PageProps): ReactNode {
  const all = useChanges(devices.changes, () => devices.all)
  const [isTelling, setTelling] = useState(false)
  const tell = (): void => setTelling(true)
  return (
    <div className="page-frame">
      <Header onTell={tell} isTelling={isTelling}>
        <AddDevice devices={devices} />
      </Header>
      {nodes && <NodesPanel nodes={nodes} devices={all} />}
      {isTelling && (
        <Story
          devices={devices}
          hasReceived={(name, text) => trace.hasReceived(name, text)}
          onEnd={() => setTelling(false)}
        />
      )}
      {all.length === 0 && !isTelling && <Welcome devices={devices} onTell={tell} />}
      {all.length > 0 && (
        <>
          <DeviceNav devices={all} isAlways={isTelling} />
          <main className="desk">
            <div className="devices" data-count={isTelling ? 'many' : all.length}>
              {all.map(device => (
                <DeviceCard key={placeOf(device)} device={device} onClose={() => void devices.remove(device)} />
              ))}
            </div>
            <WhatHappened trace={trace} devices={devices} />
          </main>
        </>
      )}
    </div>
  )
}
