import { type FormEvent, type ReactNode, useState } from 'react'
import { Button, FieldError, Form, Input, Label, TextField } from 'react-aria-components'
import { goTo, placeOf } from '../device/place.ts'
import type { Devices } from '../devices/devices.ts'
import { t } from '../texts/texts.ts'

/** Signs in as any user: the demo server asks for no password from this machine. */
export function SignInForm({ devices, onDone }: { devices: Devices; onDone: () => void }): ReactNode {
  const [user, setUser] = useState('')
  const [device, setDevice] = useState('phone')
  const add = (event: FormEvent): void => {
    event.preventDefault()
    const added = devices.add({ user: user.trim().normalize('NFC'), device: device.trim() || 'phone' })
    onDone()
    requestAnimationFrame(() => goTo(placeOf(added)))
  }
  return (
    <Form className="sign-in" onSubmit={add}>
      <TextField className="field" value={user} onChange={setUser} isRequired maxLength={128} validate={userProblem}>
        <Label>{t.signIn.user}</Label>
        <Input placeholder="alice" dir="auto" autoComplete="off" autoCapitalize="none" spellCheck={false} />
        <FieldError className="warning" />
      </TextField>
      <TextField className="field" value={device} onChange={setDevice} isRequired maxLength={40}>
        <Label>{t.signIn.device}</Label>
        <Input placeholder="phone" dir="auto" autoComplete="off" />
        <FieldError className="warning" />
      </TextField>
      <Button className="primary" type="submit">
        {t.signIn.button}
      </Button>
    </Form>
  )
}

function userProblem(value: string): string | null {
  const user = value.trim()
  return user === '.' || user === '..' ? t.signIn.dots : null
}
