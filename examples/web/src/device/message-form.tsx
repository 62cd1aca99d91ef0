import type { Delivery } from '@kith/client'
import { useKith } from '@kith/client/react'
import { type FormEvent, type ReactNode, useState } from 'react'
import { Button, Form, Input, Label, TextField } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import { isolated } from '../isolation.ts'
import { useAttempt } from './attempt.ts'
import { TheirWords } from './their-words.tsx'
import { useChanges } from './use-changes.ts'

export interface MessageFormProps {
  to: string
  name: string
  device: Device
}

/** A short message, which only a device that is there now takes; and what came from them. */
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
      const delivery = await kith.send(to, text)
      setOutcome(outcomeWords(delivery, name))
    })
  }
  return (
    <section aria-label={`Messages with ${isolated(name)}`} className="messages">
      <ul>
        {messages
          .filter(({ from }) => from === to)
          .map(message => (
            <li key={message.id}>
              <TheirWords>{message.text}</TheirWords>
            </li>
          ))}
      </ul>
      <Form className="message-form" onSubmit={send}>
        <TextField className="field" value={text} onChange={setText} maxLength={2000}>
          <Label>
            Message to <TheirWords>{name}</TheirWords>
          </Label>
          <Input dir="auto" />
        </TextField>
        <Button type="submit">Send</Button>
      </Form>
      <p className="quiet outcome" role="status">
        {failure ?? outcome}
      </p>
    </section>
  )
}

function outcomeWords(delivery: Delivery, name: string): string {
  switch (delivery) {
    case 'delivered':
      return `A device of ${isolated(name)}’s took it.`
    case 'undelivered':
      return 'No device took it, or none may.'
    case 'unconfirmed':
      return `Sent. Whether a device of ${isolated(name)}’s took it is not known.`
  }
}
