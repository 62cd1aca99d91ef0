import { KithError } from '@kith/client'
import { type ReactNode, useState } from 'react'
import { Button } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import { errorWords } from '../devices/error-words.ts'
import { usePlace } from '../navigation/use-place.ts'
import { t } from '../texts/texts.ts'
import { Dialog } from './dialog.tsx'

export interface EraseDialogProps {
  device: Device
  onErased: (() => void) | undefined
}

export function EraseDialog({ device, onErased }: EraseDialogProps): ReactNode {
  const { place, close } = usePlace(device.key)
  const [warning, setWarning] = useState<string>()
  const erase = async (): Promise<void> => {
    try {
      await device.erase(warning !== undefined)
      close()
      onErased?.()
    } catch (error) {
      if (!(error instanceof KithError)) throw error
      setWarning(error.code === 'unsent-changes' ? t.erase.unsent : errorWords(error))
    }
  }
  return (
    <Dialog isAlert title={t.erase.title(device.title)} isOpen={place.dialog === 'erase'} onClose={close}>
      <p>{t.erase.text}</p>
      {warning !== undefined && (
        <p className="warning" role="alert">
          {warning}
        </p>
      )}
      <div className="buttons">
        <Button onPress={close}>{t.erase.keep}</Button>
        <Button className="danger" onPress={() => void erase()}>
          {warning === undefined ? t.erase.button : t.erase.force}
        </Button>
      </div>
    </Dialog>
  )
}
