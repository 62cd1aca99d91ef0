import { useSyncStatus } from '@kith/client/react'
import { type ReactNode, useState } from 'react'
import { Button, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import { hashOf, personName } from '../devices/name.ts'
import { EraseDialog } from './erase-dialog.tsx'
import { syncWords } from './sync-words.ts'
import { TheirWords } from './their-words.tsx'
import { Toggle } from './toggle.tsx'
import { useChanges } from './use-changes.ts'

export function DeviceHeader({ device, onClose }: { device: Device; onClose: (() => void) | undefined }): ReactNode {
  const { status, unsent } = useSyncStatus()
  const [isErasing, setErasing] = useState(false)
  const isOn = useChanges(device.changes, () => device.isSwitchedOn)
  const words = syncWords(status, unsent, isOn)
  return (
    <header className="device-header">
      <div className="device-name">
        <h2>{device.title}</h2>
        <p className="quiet">
          <TheirWords>{personName(device.name.user) === device.name.user ? '' : device.name.user}</TheirWords>
        </p>
      </div>
      <Toggle isOn={isOn} onChange={isNow => device.setOnline(isNow)}>
        Online
      </Toggle>
      <MenuTrigger>
        <Button className="icon-button" aria-label={`More for ${device.title}`}>
          <span aria-hidden="true">⋯</span>
        </Button>
        <Popover className="popover">
          <Menu className="menu" aria-label={`More for ${device.title}`}>
            {onClose && (
              <MenuItem href={hashOf(device.name)} target="_blank">
                Open in its own window
              </MenuItem>
            )}
            {onClose && <MenuItem onAction={onClose}>Take off this page</MenuItem>}
            <MenuItem onAction={() => setErasing(true)}>Erase this device…</MenuItem>
          </Menu>
        </Popover>
      </MenuTrigger>
      <p className="sync" data-sync={words.tone} role="status">
        {words.text}
      </p>
      <EraseDialog device={device} isOpen={isErasing} onClose={() => setErasing(false)} onErased={onClose} />
    </header>
  )
}
