import { type FormEvent, type ReactNode, useState } from 'react'
import { Button, Form, Input, Label, TextField } from 'react-aria-components'
import { circleName } from '../circles.ts'
import { t } from '../texts/texts.ts'

export interface AddFieldProps {
  levels: readonly number[]
  /** Resolves to whether it was stored. */
  onAdd: (name: string, level: number, value: string) => Promise<boolean>
}

/** Adds a field, in a circle that the user chooses. */
export function AddField({ levels, onAdd }: AddFieldProps): ReactNode {
  const [name, setName] = useState('')
  const [value, setValue] = useState('')
  const [level, setLevel] = useState(0)
  const add = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    if (name.trim() === '' || value === '') return
    if (!(await onAdd(name.trim(), level, value))) return
    setName('')
    setValue('')
  }
  return (
    <details className="add-field">
      <summary>{t.profile.addField}</summary>
      <Form onSubmit={event => void add(event)}>
        <TextField className="field" value={name} onChange={setName}>
          <Label>{t.profile.fieldName}</Label>
          <Input dir="auto" />
        </TextField>
        <TextField className="field" value={value} onChange={setValue}>
          <Label>{t.profile.fieldValue}</Label>
          <Input dir="auto" />
        </TextField>
        <label className="field">
          {t.profile.circle}
          <select value={level} onChange={event => setLevel(Number(event.target.value))}>
            {levels.map(one => (
              <option key={one} value={one}>
                {circleName(one)}
              </option>
            ))}
          </select>
        </label>
        <Button type="submit">{t.profile.addButton}</Button>
      </Form>
    </details>
  )
}
