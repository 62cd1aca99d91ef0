import { useSyncStatus } from '@kith/client/react'
import type { ReactNode } from 'react'
import { Button, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import { hashOf } from '../devices/name.ts'
import { isolated } from '../isolation.ts'
import { usePlace } from '../navigation/use-place.ts'
import { t } from '../texts/texts.ts'
import { EraseDialog } from './erase-dialog.tsx'
import { Icon } from './icon.tsx'
import { syncWords } from './sync-words.ts'
import { Toggle } from './toggle.tsx'
import { useChanges } from './use-changes.ts'

/** The user of the device, whether its changes are saved, its network switch and its menu. */
export function DeviceHeader({ device, onClose }: { device: Device; onClose: (() => void) | undefined }): ReactNode {
  const { status, unsent } = useSyncStatus()
  const { openDialog } = usePlace(device.key)
  const isOn = useChanges(device.changes, () => device.isSwitchedOn)
  const words = syncWords(status, unsent, isOn)
  return (
    <header className="device-header">
      <h2 title={isolated(device.name.user)}>{device.title}</h2>
      <Toggle isOn={isOn} onChange={isNow => device.setOnline(isNow)}>
        {t.device.online}
      </Toggle>
      <MenuTrigger>
        <Button className="icon-button" aria-label={t.device.more(device.title)}>
          <Icon name="more" />
        </Button>
        <Popover className="popover">
          <Menu className="menu" aria-label={t.device.more(device.title)}>
            {onClose && (
              <MenuItem href={hashOf(device.name)} target="_blank">
                {t.device.ownWindow}
              </MenuItem>
            )}
            {onClose && <MenuItem onAction={onClose}>{t.device.takeOff}</MenuItem>}
            <MenuItem onAction={() => openDialog('erase')}>{t.device.erase}</MenuItem>
          </Menu>
        </Popover>
      </MenuTrigger>
      <p className="sync" data-sync={words.tone} role="status">
        {words.text}
      </p>
      <EraseDialog device={device} onErased={onClose} />
    </header>
  )
}
