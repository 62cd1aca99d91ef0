import { KithError } from '@kith/client'
import { type ReactNode, useState } from 'react'
import { Button, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components'
import type { Device } from '../devices/device.ts'

export interface EraseDialogProps {
  device: Device
  isOpen: boolean
  onClose: () => void
  onErased: (() => void) | undefined
}

export function EraseDialog({ device, isOpen, onClose, onErased }: EraseDialogProps): ReactNode {
  const [warning, setWarning] = useState<string>()
  const erase = async (): Promise<void> => {
    try {
      await device.erase(warning !== undefined)
      onClose()
      onErased?.()
    } catch (error) {
      if (!(error instanceof KithError)) throw error
      setWarning(error.message)
    }
  }
  return (
    <ModalOverlay className="overlay" isOpen={isOpen} onOpenChange={isNow => isNow || onClose()} isDismissable>
      <Modal className="modal">
        <Dialog role="alertdialog" className="dialog">
          <Heading slot="title">Erase {device.title}?</Heading>
          <p>This device forgets everything. What is on the server stays there, and comes back when the device does.</p>
          {warning !== undefined && (
            <p className="warning" role="alert">
              {warning}: they would be lost. Erase all the same?
            </p>
          )}
          <div className="buttons">
            <Button onPress={onClose}>Keep it</Button>
            <Button className="danger" onPress={() => void erase()}>
              {warning === undefined ? 'Erase' : 'Erase, and lose them'}
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}
