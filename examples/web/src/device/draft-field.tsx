import { type KeyboardEvent, type ReactNode, useState } from 'react'
import { Input, Label, TextField } from 'react-aria-components'
import { TheirWords } from './their-words.tsx'

export interface DraftFieldProps {
  label: string
  /** What is stored. While nobody types, it shows, whoever changed it. */
  value: string
  onSave: (value: string) => void
  placeholder?: string
}

/** A text that is saved when one leaves the field or presses Enter; Escape brings back what was stored. */
export function DraftField({ label, value, onSave, placeholder }: DraftFieldProps): ReactNode {
  const [draft, setDraft] = useState<string>()
  const save = (): void => {
    if (draft !== undefined && draft !== value) onSave(draft)
    setDraft(undefined)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') save()
    if (event.key === 'Escape') setDraft(undefined)
  }
  return (
    <TextField className="field" value={draft ?? value} onChange={setDraft} onBlur={save} onKeyDown={onKeyDown}>
      <Label>
        <TheirWords>{label}</TheirWords>
      </Label>
      <Input placeholder={placeholder ?? ''} dir="auto" />
    </TextField>
  )
}
