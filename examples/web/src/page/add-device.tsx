import type { ReactNode } from 'react'
import { Button } from 'react-aria-components'
import { Dialog } from '../device/dialog.tsx'
import type { Devices } from '../devices/devices.ts'
import { usePlace } from '../navigation/use-place.ts'
import { t } from '../texts/texts.ts'
import { SignInForm } from './sign-in-form.tsx'

/** The name of the page itself in the history, beside those of the devices. */
const page = 'page'

export function AddDevice({ devices }: { devices: Devices }): ReactNode {
  const { place, openDialog, close } = usePlace(page)
  return (
    <>
      <Button onPress={() => openDialog('add-device')}>{t.page.addDevice}</Button>
      <Dialog title={t.page.addDevice} isOpen={place.dialog === 'add-device'} onClose={close}>
        <p className="quiet">{t.page.addDeviceHint}</p>
        <SignInForm devices={devices} onDone={close} />
      </Dialog>
    </>
  )
}
