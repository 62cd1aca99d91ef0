import { parseUserId } from '@kith/client'
import { type FormEvent, type ReactNode, useRef, useState } from 'react'
import { Button, FieldError, Form, Input, Label, TextField } from 'react-aria-components'
import { goTo, placeOf } from '../device/place.ts'
import type { Devices } from '../devices/devices.ts'
import { t } from '../texts/texts.ts'

/** Signs in as any user: the demo server requires no password from this machine. */
export function SignInForm({ devices, onDone }: { devices: Devices; onDone: () => void }): ReactNode {
  const [user, setUser] = useState('')
  const [device, setDevice] = useState('phone')
  const [problem, setProblem] = useState<string>()
  const input = useRef<HTMLInputElement>(null)
  const change = (typed: string): void => {
    setUser(typed)
    // Clear the error while the user types: clearing it on blur would move the button under the pointer.
    setProblem(undefined)
  }
  const add = (event: FormEvent): void => {
    event.preventDefault()
    const parsed = parseUserId(user)
    if (!('id' in parsed)) {
      setProblem(user.trim() === '' ? t.errors['user-required'] : t.invalid[parsed.reason])
      input.current?.focus()
      return
    }
    const added = devices.add({ user: parsed.id, device: device.trim() || 'phone' })
    onDone()
    requestAnimationFrame(() => goTo(placeOf(added)))
  }
  return (
    <Form className="sign-in" onSubmit={add} validationBehavior="aria">
      <TextField
        className="field"
        value={user}
        onChange={change}
        isRequired
        maxLength={128}
        isInvalid={problem !== undefined}
      >
        <Label>{t.signIn.user}</Label>
        <Input ref={input} placeholder="alice" dir="auto" autoComplete="off" autoCapitalize="none" spellCheck={false} />
        <FieldError className="warning">{problem}</FieldError>
      </TextField>
      <TextField className="field" value={device} onChange={setDevice} maxLength={40}>
        <Label>{t.signIn.device}</Label>
        <Input placeholder="phone" dir="auto" autoComplete="off" />
      </TextField>
      <Button className="primary" type="submit">
        {t.signIn.button}
      </Button>
    </Form>
  )
}
