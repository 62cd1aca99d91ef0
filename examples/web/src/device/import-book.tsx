import type { ReactNode } from 'react'
import { Button } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import { usePlace } from '../navigation/use-place.ts'
import { t } from '../texts/texts.ts'
import { Dialog } from './dialog.tsx'
import { ChooseBook } from './import-choice.tsx'
import { useImport } from './import-state.ts'
import { DoneImport, PlannedImport } from './import-steps.tsx'
import { Warning } from './warning.tsx'

/** Imports a phone book from a file: choose it, see what it would change, apply it, and undo it. */
export function ImportBook({ device }: { device: Device }): ReactNode {
  const { place, close } = usePlace(device.key)
  return (
    <Dialog title={t.import.title(device.title)} isOpen={place.dialog === 'import'} onClose={close}>
      <ImportForm onDone={close} />
    </Dialog>
  )
}

function ImportForm({ onDone }: { onDone: () => void }): ReactNode {
  const { step, failure, read, apply, undo } = useImport()
  return (
    <>
      <Warning text={failure} />
      {step.state === 'choosing' && <ChooseBook onChoose={read} onCancel={onDone} />}
      {step.state === 'busy' && <p role="status">{step.what}</p>}
      {step.state === 'planned' && <PlannedImport {...step} onApply={apply} onCancel={onDone} />}
      {step.state === 'done' && <DoneImport {...step} onUndo={undo} onDone={onDone} />}
      {step.state === 'undone' && (
        <>
          <p role="status">{t.import.undone}</p>
          <div className="buttons">
            <Button className="primary" onPress={onDone}>
              {t.device.close}
            </Button>
          </div>
        </>
      )}
    </>
  )
}
