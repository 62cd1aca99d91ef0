import { type FormEvent, type ReactNode, useState } from 'react'
import { Button, Form, Input, Label, TextField } from 'react-aria-components'
import { audienceName } from '../audiences.ts'

export interface AddFieldProps {
  levels: readonly number[]
  onAdd: (name: string, level: number, value: string) => void
}

/** One more field, at a level of one's choice. */
export function AddField({ levels, onAdd }: AddFieldProps): ReactNode {
  const [name, setName] = useState('')
  const [value, setValue] = useState('')
  const [level, setLevel] = useState(0)
  const add = (event: FormEvent): void => {
    event.preventDefault()
    if (name.trim() === '' || value === '') return
    onAdd(name.trim(), level, value)
    setName('')
    setValue('')
  }
  return (
    <details className="add-field">
      <summary>Add a field</summary>
      <Form onSubmit={add}>
        <TextField className="field" value={name} onChange={setName}>
          <Label>Field</Label>
          <Input placeholder="city" dir="auto" />
        </TextField>
        <TextField className="field" value={value} onChange={setValue}>
          <Label>Value</Label>
          <Input placeholder="Bath" dir="auto" />
        </TextField>
        <label className="field">
          Level
          <select value={level} onChange={event => setLevel(Number(event.target.value))}>
            {levels.map(one => (
              <option key={one} value={one}>
                {audienceName(one)}
              </option>
            ))}
          </select>
        </label>
        <Button type="submit">Add</Button>
      </Form>
    </details>
  )
}
