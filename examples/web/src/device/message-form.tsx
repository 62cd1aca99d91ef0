import type { Delivery } from '@kith/client'
import { useKith } from '@kith/client/react'
import { type FormEvent, type ReactNode, useState } from 'react'
import { Button, Form, Input, Label, TextField } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import { useAttempt } from './attempt.ts'
import { useChanges } from './use-changes.ts'

export interface MessageFormProps {
  to: string
  name: string
  device: Device
}

/** A short message, which only a device that is there now takes; and what came from them. */
const outcomeText: Record<Delivery, (name: string) => string> = {
  delivered: name => `A device of ${name}’s took it.`,
  undelivered: () => 'No device took it, or none may.',
  unconfirmed: name => `It was sent; whether a device of ${name}’s took it is not known.`,
}

export function MessageForm({ to, name, device }: MessageFormProps): ReactNode {
  const kith = useKith()
  const messages = useChanges(device.changes, () => device.messages)
  const [text, setText] = useState('')
  const [outcome, setOutcome] = useState('')
  const [failure, attempt] = useAttempt()
  const send = (event: FormEvent): void => {
    event.preventDefault()
    if (text === '') return
    setOutcome('On its way…')
    setText('')
    void attempt(async () => {
      setOutcome(outcomeText[await kith.send(to, text)](name))
    })
  }
  return (
    <section aria-label={`Messages with ${name}`} className="messages">
      <ul>
        {messages
          .filter(({ from }) => from === to)
          .map(message => (
            <li key={message.id}>{message.text}</li>
          ))}
      </ul>
      <Form className="message-form" onSubmit={send}>
        <TextField className="field" value={text} onChange={setText} maxLength={2000}>
          <Label>Message to {name}</Label>
          <Input />
        </TextField>
        <Button type="submit">Send</Button>
      </Form>
      <p className="quiet outcome" role="status">
        {failure ?? outcome}
      </p>
    </section>
  )
}
