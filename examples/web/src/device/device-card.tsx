import { KithProvider } from '@kith/client/react'
import { type ReactNode, useEffect } from 'react'
import type { Device } from '../devices/device.ts'
import { navigation } from '../navigation/navigation.ts'
import { home } from '../navigation/place.ts'
import { Boundary } from './boundary.tsx'
import { DeviceHeader } from './device-header.tsx'
import { DeviceScreens } from './device-screens.tsx'
import { placeOf } from './place.ts'
import { Trouble, Unreadable } from './trouble.tsx'
import { useChanges } from './use-changes.ts'

export interface DeviceCardProps {
  device: Device
  /** Removes the device from the page; absent in a window for one device. */
  onClose: (() => void) | undefined
}

/** One device as its user sees it. */
export function DeviceCard({ device, onClose }: DeviceCardProps): ReactNode {
  const state = useChanges(device.changes, () => device.state)
  const isHighlighted = useChanges(device.changes, () => device.isHighlighted)
  useEffect(() => {
    if (state.state === 'closed') navigation.show(device.key, home)
  }, [state, device.key])
  return (
    <section className="device" id={placeOf(device)} aria-label={device.title} data-highlighted={isHighlighted}>
      {state.state === 'open' ? (
        <KithProvider kith={state.kith}>
          <DeviceHeader device={device} onClose={onClose} />
          <Boundary fallback={(error, again) => <Unreadable error={error} onAgain={again} />}>
            <DeviceScreens device={device} />
          </Boundary>
        </KithProvider>
      ) : (
        <Trouble device={device} state={state} onClose={onClose} />
      )}
    </section>
  )
}
