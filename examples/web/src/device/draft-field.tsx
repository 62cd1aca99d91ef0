import { type KeyboardEvent, type ReactNode, useState } from 'react'
import { Input, Label, TextField } from 'react-aria-components'
import { TheirWords } from './their-words.tsx'

export interface DraftFieldProps {
  label: string
  /** What is stored. While nobody types, it shows, whoever changed it. */
  value: string
  onSave: (value: string) => void
}

/** A text that is saved when its user leaves the field or presses Enter; Escape brings back what was stored. */
export function DraftField({ label, value, onSave }: DraftFieldProps): ReactNode {
  const [draft, setDraft] = useState<string>()
  const save = (): void => {
    if (draft !== undefined && draft !== value) onSave(draft)
    setDraft(undefined)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') save()
    if (event.key !== 'Escape' || draft === undefined) return
    event.stopPropagation() // Escape takes back what was typed, and leaves the screen open.
    setDraft(undefined)
  }
  return (
    <TextField className="field" value={draft ?? value} onChange={setDraft} onBlur={save}>
      <Label>
        <TheirWords>{label}</TheirWords>
      </Label>
      <Input dir="auto" onKeyDown={onKeyDown} />
    </TextField>
  )
}
