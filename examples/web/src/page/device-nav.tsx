import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Button } from 'react-aria-components'
import { goTo, placeOf } from '../device/place.ts'
import type { Device } from '../devices/device.ts'
import { t } from '../texts/texts.ts'
import { whatHappenedId } from './what-happened.tsx'

export interface DeviceNavProps {
  devices: readonly Device[]
  /** Whether it is shown even if all devices fit: another one may come. */
  isAlways: boolean
}

/** Goes to a device when not all fit into the window, and shows which ones are visible. */
export function DeviceNav({ devices, isAlways }: DeviceNavProps): ReactNode {
  const places = [
    ...devices.map(device => [device.title, placeOf(device)] as const),
    [t.trace.title, whatHappenedId] as const,
  ]
  const seen = useSeen(places.map(([, id]) => id))
  const bar = useRef<HTMLElement>(null)
  useEffect(() => {
    if (seen.size > 0)
      bar.current?.querySelector('[aria-current=true]')?.scrollIntoView({ inline: 'nearest', block: 'nearest' })
  }, [seen])
  return (
    <nav ref={bar} className="device-nav" aria-label={t.page.devices} data-has-many={isAlways || devices.length > 3}>
      {places.map(([title, id]) => (
        <Button key={id} aria-current={seen.has(id) ? 'true' : 'false'} onPress={() => goTo(id)}>
          {title}
        </Button>
      ))}
    </nav>
  )
}

/** The places that are mostly visible in the window. */
function useSeen(ids: readonly string[]): ReadonlySet<string> {
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set())
  const key = ids.join('\n')
  useEffect(() => {
    const shown = new Set<string>()
    const observer = new IntersectionObserver(
      entries => {
        for (const { target, intersectionRatio } of entries) {
          if (intersectionRatio >= 0.6) shown.add(target.id)
          else shown.delete(target.id)
        }
        setSeen(new Set(shown))
      },
      { threshold: [0, 0.6] },
    )
    for (const id of key.split('\n')) {
      const element = document.getElementById(id)
      if (element) observer.observe(element)
    }
    return () => observer.disconnect()
  }, [key])
  return seen
}
