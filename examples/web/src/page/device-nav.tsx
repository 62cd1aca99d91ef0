import type { ReactNode } from 'react'
import { Button } from 'react-aria-components'
import { goTo, placeOf } from '../device/place.ts'
import type { Device } from '../devices/device.ts'
import { whatHappenedId } from './what-happened.tsx'

/** On a narrow window one device fills the page: this goes to another. A wide one shows them all, and hides this. */
export function DeviceNav({ devices }: { devices: readonly Device[] }): ReactNode {
  const places = [
    ...devices.map(device => [device.title, placeOf(device)] as const),
    ['What happened', whatHappenedId] as const,
  ]
  return (
    <nav className="device-nav" aria-label="Devices">
      {places.map(([title, id]) => (
        <Button key={id} onPress={() => goTo(id)}>
          {title}
        </Button>
      ))}
    </nav>
  )
}
