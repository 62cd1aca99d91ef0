import type { ReactNode } from 'react'
import { Button, Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from 'react-aria-components'
import type { Devices } from '../devices/devices.ts'
import { SignInForm } from './sign-in-form.tsx'

export function AddDevice({ devices }: { devices: Devices }): ReactNode {
  return (
    <DialogTrigger>
      <Button>Add a device</Button>
      <ModalOverlay className="overlay" isDismissable>
        <Modal className="modal">
          <Dialog className="dialog">
            {({ close }) => (
              <>
                <Heading slot="title">Add a device</Heading>
                <p className="quiet">Any user name will do. Two devices of one user share contacts and profile.</p>
                <SignInForm devices={devices} onDone={close} />
              </>
            )}
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  )
}
