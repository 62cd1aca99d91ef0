import type { ImportContact, ImportPlan, ImportResult } from '@kith/client/import'
import { type ReactNode, useState } from 'react'
import { Button } from 'react-aria-components'
import { t } from '../texts/texts.ts'
import type { Remark } from './import-state.ts'
import { TheirWords } from './their-words.tsx'
import { Toggle } from './toggle.tsx'

export interface PlannedImportProps {
  plan: ImportPlan
  remarks: readonly Remark[]
  onApply: (plan: ImportPlan, removeGone: boolean) => void
  onCancel: () => void
}

/** Shows what an import would do. Nothing is written yet. */
export function PlannedImport({ plan, remarks, onApply, onCancel }: PlannedImportProps): ReactNode {
  const [removeGone, setRemoveGone] = useState(false)
  const { added, changed, unchanged, gone } = plan
  const isNothing = added.length + changed.length === 0 && !(removeGone && gone.length > 0)
  return (
    <>
      <p role="status">{t.import.plan(added.length, changed.length, unchanged.length)}</p>
      <People title={t.import.toAdd} people={added} />
      <People title={t.import.toChange} people={changed} />
      <People title={t.import.gone} people={gone} />
      {gone.length > 0 && (
        <Toggle isOn={removeGone} onChange={setRemoveGone}>
          {t.import.removeGone}
        </Toggle>
      )}
      <Remarks remarks={remarks} />
      <div className="buttons">
        <Button onPress={onCancel}>{t.device.cancel}</Button>
        <Button className="primary" isDisabled={isNothing} onPress={() => onApply(plan, removeGone)}>
          {t.import.button}
        </Button>
      </div>
    </>
  )
}

export interface DoneImportProps {
  result: ImportResult
  onUndo: (result: ImportResult) => void
  onDone: () => void
}

export function DoneImport({ result, onUndo, onDone }: DoneImportProps): ReactNode {
  const { added, changed, unchanged, removed } = result
  return (
    <>
      <p role="status">{t.import.result(added, changed, unchanged, removed)}</p>
      <div className="buttons">
        <Button onPress={() => onUndo(result)}>{t.device.undo}</Button>
        <Button className="primary" autoFocus onPress={onDone}>
          {t.device.done}
        </Button>
      </div>
    </>
  )
}

/** The maximum number of shown entries; of the rest, only the number is shown. */
const mostShown = 5

function People({ title, people }: { title: string; people: readonly ImportContact[] }): ReactNode {
  if (people.length === 0) return null
  return (
    <section aria-label={title}>
      <p>{title}:</p>
      <ul>
        {people.slice(0, mostShown).map(({ address, label }) => (
          <li key={address}>
            <TheirWords>{label === undefined ? address : `${label} (${address})`}</TheirWords>
          </li>
        ))}
        <Rest count={people.length - mostShown} />
      </ul>
    </section>
  )
}

function Remarks({ remarks }: { remarks: readonly Remark[] }): ReactNode {
  if (remarks.length === 0) return null
  return (
    <section className="warning" aria-label={t.import.remarks}>
      <ul>
        {remarks.slice(0, mostShown).map(({ id, line, name, reason }) => (
          <li key={id}>
            {t.import.line(line)}
            {name !== undefined && <TheirWords>{`${name}: `}</TheirWords>}
            <TheirWords>{reason}</TheirWords>
          </li>
        ))}
        <Rest count={remarks.length - mostShown} />
      </ul>
    </section>
  )
}

function Rest({ count }: { count: number }): ReactNode {
  return count > 0 ? <li>{t.import.more(count)}</li> : null
}
