import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { Input, Label, TextField } from 'react-aria-components'
import { TheirWords } from './their-words.tsx'

export interface DraftFieldProps {
  label: string
  /** The stored value. It is shown, whichever device changed it, unless the user is typing. */
  value: string
  /** Resolves to whether it was stored. */
  onSave: (value: string) => Promise<boolean>
}

/**
 * A text that is saved when its user leaves the field or its screen, or presses Enter; Escape restores the stored value. A
 * refused text stays in the field; if the screen is closed, a notice reports the refusal.
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
  // Navigation in the history closes a screen without a blur event of its field.
  useEffect(() => () => void saveLatest.current(), [])
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') void save()
    if (event.key !== 'Escape' || draft === undefined) return
    event.stopPropagation() // Escape discards the typed text, and the screen stays open.
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
