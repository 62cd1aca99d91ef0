import type { ImportContact, ImportPlan, ImportResult } from '@kith/client/import'
import { type ReactNode, useState } from 'react'
import { Button } from 'react-aria-components'
import type { Remark } from './import-state.ts'
import { TheirWords } from './their-words.tsx'
import { Toggle } from './toggle.tsx'

export interface PlannedImportProps {
  plan: ImportPlan
  remarks: readonly Remark[]
  onApply: (plan: ImportPlan, removeGone: boolean) => void
  onCancel: () => void
}

/** What an import would do. Nothing is written yet. */
export function PlannedImport({ plan, remarks, onApply, onCancel }: PlannedImportProps): ReactNode {
  const [removeGone, setRemoveGone] = useState(false)
  const { added, changed, unchanged, gone } = plan
  const isNothing = added.length + changed.length === 0 && !(removeGone && gone.length > 0)
  return (
    <>
      <p role="status">
        Nothing is written yet. {added.length} to add, {changed.length} to change, {unchanged.length} unchanged.
      </p>
      <People title="To add" people={added} />
      <People title="To change" people={changed} />
      <People title="No longer in the phone book" people={gone} />
      {gone.length > 0 && (
        <div className="toggles">
          <Toggle isOn={removeGone} onChange={setRemoveGone}>
            Remove who is no longer in it
          </Toggle>
        </div>
      )}
      <Remarks remarks={remarks} />
      <div className="buttons">
        <Button onPress={onCancel}>Cancel</Button>
        <Button className="primary" isDisabled={isNothing} onPress={() => onApply(plan, removeGone)}>
          Import
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
      <p role="status">
        {added} added, {changed} changed, {unchanged} unchanged, {removed} removed.
      </p>
      <div className="buttons">
        <Button onPress={() => onUndo(result)}>Undo</Button>
        <Button className="primary" autoFocus onPress={onDone}>
          Done
        </Button>
      </div>
    </>
  )
}

/** As many as a person reads; the rest is a number. */
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
    <section className="warning" aria-label="Remarks">
      <ul>
        {remarks.slice(0, mostShown).map(({ id, line, name, reason }) => (
          <li key={id}>
            Line {line}: {name !== undefined && <TheirWords>{`${name}: `}</TheirWords>}
            <TheirWords>{reason}</TheirWords>
          </li>
        ))}
        <Rest count={remarks.length - mostShown} />
      </ul>
    </section>
  )
}

function Rest({ count }: { count: number }): ReactNode {
  return count > 0 ? <li>and {count} more</li> : null
}
