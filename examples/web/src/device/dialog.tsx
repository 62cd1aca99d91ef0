import type { ReactNode } from 'react'
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components'

export interface DialogProps {
  title: string
  isOpen: boolean
  onClose: () => void
  isAlert?: boolean
  children: ReactNode
}

/** A dialog above the page. The open dialog is an entry of the history: see `navigation`. */
export function Dialog({ title, isOpen, onClose, isAlert = false, children }: DialogProps): ReactNode {
  return (
    <ModalOverlay className="overlay" isOpen={isOpen} onOpenChange={isNow => isNow || onClose()} isDismissable>
      <Modal className="modal">
        <AriaDialog role={isAlert ? 'alertdialog' : 'dialog'} className="dialog">
          <Heading slot="title">{title}</Heading>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}
