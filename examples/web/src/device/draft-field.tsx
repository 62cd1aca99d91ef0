import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { Input, Label, TextField } from 'react-aria-components'
import { TheirWords } from './their-words.tsx'

export interface DraftFieldProps {
  label: string
  /** What is stored. While nobody types, it shows, whoever changed it. */
  value: string
  /** Resolves to whether it was stored. */
  onSave: (value: string) => Promise<boolean>
}

/**
 * A text that is saved when its user leaves the field or its screen, or presses Enter; Escape brings back what was stored.
 * A text that is refused stays in the field; of one whose screen is gone, a notice tells.
 */
export function DraftField({ label, value, onSave }: DraftFieldProps): ReactNode {
  const [draft, setDraft] = useState<string>()
  const saving = useRef<string>(undefined)
  const save = async (): Promise<void> => {
    if (draft === undefined || saving.current === draft) return
    saving.current = draft
    try {
      if (draft === value || (await onSave(draft))) setDraft(now => (now === draft ? undefined : now))
    } finally {
      saving.current = undefined
    }
  }
  const saveLatest = useRef(save)
  saveLatest.current = save
  // The history takes a screen away without taking the focus from its field first.
  useEffect(() => () => void saveLatest.current(), [])
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') void save()
    if (event.key !== 'Escape' || draft === undefined) return
    event.stopPropagation() // Escape takes back what was typed, and leaves the screen open.
    setDraft(undefined)
  }
  return (
    <TextField className="field" value={draft ?? value} onChange={setDraft} onBlur={() => void save()}>
      <Label>
        <TheirWords>{label}</TheirWords>
      </Label>
      <Input dir="auto" onKeyDown={onKeyDown} />
    </TextField>
  )
}
