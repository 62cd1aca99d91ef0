import { type ReactNode, useRef } from 'react'
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import type { Tab as TabName } from '../navigation/place.ts'
import { usePlace } from '../navigation/use-place.ts'
import { t } from '../texts/texts.ts'
import { Contacts } from './contacts.tsx'
import { Conversation } from './conversation.tsx'
import { Icon } from './icon.tsx'
import { Notices } from './notices.tsx'
import { OwnProfilePage } from './own-profile-page.tsx'
import { PersonPage } from './person-page.tsx'
import { SettingsPage } from './settings-page.tsx'
import { useIsWide } from './use-is-wide.ts'

/** The screens of a device, its notices, and the tabs to switch between the screens. */
export function DeviceScreens({ device }: { device: Device }): ReactNode {
  const { place, goToTab } = usePlace(device.key)
  const frame = useRef<HTMLDivElement>(null)
  const isWide = useIsWide(frame)
  return (
    <Tabs
      ref={frame}
      className="tabs"
      data-wide={isWide}
      selectedKey={place.tab}
      onSelectionChange={tab => goToTab(tab as TabName)}
    >
      {/* First in the document, as React Aria requires; the styles place it below. */}
      <TabList className="tab-list" aria-label={t.device.pages(device.title)}>
        {(['contacts', 'profile', 'settings'] as const).map(tab => (
          <Tab key={tab} id={tab} onClick={() => goToTab(tab)}>
            <Icon name={tab} />
            {t.device[tab]}
          </Tab>
        ))}
      </TabList>
      <TabPanel id="contacts" className="tab-panel split">
        <ContactsScreen device={device} isWide={isWide} />
      </TabPanel>
      <TabPanel id="profile" className="tab-panel">
        <OwnProfilePage device={device} />
      </TabPanel>
      <TabPanel id="settings" className="tab-panel">
        <SettingsPage device={device} />
      </TabPanel>
      <Notices device={device} />
    </Tabs>
  )
}

function ContactsScreen({ device, isWide }: { device: Device; isWide: boolean }): ReactNode {
  const { place } = usePlace(device.key)
  const { person, isTalk } = place
  return (
    <>
      <Contacts device={device} isCovered={!isWide && person !== undefined} shown={isWide ? person : undefined} />
      {person === undefined && isWide && <p className="page empty">{t.contacts.choose}</p>}
      {person !== undefined &&
        (isTalk ? (
          <Conversation key={person} id={person} device={device} />
        ) : (
          <PersonPage key={person} id={person} device={device} />
        ))}
    </>
  )
}
