import type { ReactNode } from 'react'
import { DeviceCard } from '../device/device-card.tsx'
import { useChanges } from '../device/use-changes.ts'
import type { Devices } from '../devices/devices.ts'
import { t } from '../texts/texts.ts'

/** A window for one device: the same device as on a page with several, with the same database. */
export function DevicePage({ devices }: { devices: Devices }): ReactNode {
  const all = useChanges(devices.changes, () => devices.all)
  return (
    <main className="single">
      {all[0] && <title>{`${all[0].title} · Kith`}</title>}
      <h1 className="visually-hidden">{t.page.oneDevice}</h1>
      {all.map(device => (
        <DeviceCard key={device.title} device={device} onClose={undefined} />
      ))}
    </main>
  )
}
