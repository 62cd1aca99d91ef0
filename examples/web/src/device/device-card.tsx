import { KithProvider } from '@kith/client/react'
import type { ReactNode } from 'react'
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import { Boundary } from './boundary.tsx'
import { ContactPage } from './contact-page.tsx'
import { Contacts } from './contacts.tsx'
import { DeviceHeader } from './device-header.tsx'
import { Notices } from './notices.tsx'
import { OwnProfilePage } from './own-profile-page.tsx'
import { placeOf } from './place.ts'
import { Trouble, Unreadable } from './trouble.tsx'
import { useChanges } from './use-changes.ts'

export interface DeviceCardProps {
  device: Device
  /** Takes the device off the page; absent in a window of its own. */
  onClose: (() => void) | undefined
}

/** One device as its user sees it. */
export function DeviceCard({ device, onClose }: DeviceCardProps): ReactNode {
  const state = useChanges(device.changes, () => device.state)
  return (
    <section className="device" id={placeOf(device)} aria-label={device.title}>
      {state.state === 'open' ? (
        <KithProvider kith={state.kith}>
          <DeviceHeader device={device} onClose={onClose} />
          <Boundary fallback={(error, again) => <Unreadable error={error} onAgain={again} />}>
            <DeviceTabs device={device} />
          </Boundary>
          <Notices device={device} />
        </KithProvider>
      ) : (
        <Trouble device={device} state={state} onClose={onClose} />
      )}
    </section>
  )
}

function DeviceTabs({ device }: { device: Device }): ReactNode {
  const contact = useChanges(device.changes, () => device.shown)
  return (
    <Tabs className="tabs">
      <TabList className="tab-list" aria-label={`Pages of ${device.title}`}>
        <Tab id="contacts">Contacts</Tab>
        <Tab id="profile">My profile</Tab>
      </TabList>
      <TabPanel id="contacts" className="tab-panel">
        <Contacts device={device} isCovered={contact !== undefined} onOpen={id => device.show(id)} />
        {contact !== undefined && (
          <ContactPage key={contact} id={contact} device={device} onBack={() => device.show(undefined)} />
        )}
      </TabPanel>
      <TabPanel id="profile" className="tab-panel">
        <OwnProfilePage />
      </TabPanel>
    </Tabs>
  )
}
