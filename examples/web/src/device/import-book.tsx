import type { ReactNode } from 'react'
import { Button, Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import { ChooseBook } from './import-choice.tsx'
import { useImport } from './import-state.ts'
import { DoneImport, PlannedImport } from './import-steps.tsx'
import { TheirWords } from './their-words.tsx'

/** Imports a phone book from a file: choose it, see what it would change, apply that, and take it back. */
export function ImportBook({ device }: { device: Device }): ReactNode {
  return (
    <DialogTrigger>
      <Button>Import</Button>
      <ModalOverlay className="overlay" isDismissable>
        <Modal className="modal">
          <Dialog className="dialog">
            {({ close }) => <ImportForm title={`Import a phone book on ${device.title}`} onDone={close} />}
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  )
}

function ImportForm({ title, onDone }: { title: string; onDone: () => void }): ReactNode {
  const { step, failure, read, apply, undo } = useImport()
  return (
    <>
      <Heading slot="title">{title}</Heading>
      {failure !== undefined && (
        <p className="warning" role="alert">
          <TheirWords>{failure}</TheirWords>
        </p>
      )}
      {step.state === 'choosing' && <ChooseBook onChoose={read} onCancel={onDone} />}
      {step.state === 'busy' && <p role="status">{step.what}</p>}
      {step.state === 'planned' && <PlannedImport {...step} onApply={apply} onCancel={onDone} />}
      {step.state === 'done' && <DoneImport {...step} onUndo={undo} onDone={onDone} />}
      {step.state === 'undone' && (
        <>
          <p role="status">The import was taken back.</p>
          <div className="buttons">
            <Button className="primary" onPress={onDone}>
              Close
            </Button>
          </div>
        </>
      )}
    </>
  )
}
