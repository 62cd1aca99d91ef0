import type { ReactNode } from 'react'
import { Button } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import { usePlace } from '../navigation/use-place.ts'
import { t } from '../texts/texts.ts'
import { Dialog } from './dialog.tsx'

export interface BlockDialogProps {
  name: string
  device: Device
  onBlock: (isOn: boolean) => void
}

/** Asks before it blocks; a notice offers to undo the block. */
export function BlockDialog({ name, device, onBlock }: BlockDialogProps): ReactNode {
  const { place, close } = usePlace(device.key)
  const block = (): void => {
    onBlock(true)
    device.notify({ kind: 'done', text: t.person.blockedNow(name), undo: () => onBlock(false) })
    close()
  }
  return (
    <Dialog isAlert title={t.person.blockTitle(name)} isOpen={place.dialog === 'block'} onClose={close}>
      <p>{t.person.blockText(name)}</p>
      <div className="buttons">
        <Button onPress={close}>{t.device.cancel}</Button>
        <Button className="danger" onPress={block}>
          {t.person.blockButton(name)}
        </Button>
      </div>
    </Dialog>
  )
}
