import { useProfile } from '@kith/client/react'
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { Button, Form, Heading, Input, Label, TextField } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import type { KeptMessage } from '../devices/kept-messages.ts'
import { usePlace } from '../navigation/use-place.ts'
import { locale, t } from '../texts/texts.ts'
import { useAttempt } from './attempt.ts'
import { BackButton } from './back-button.tsx'
import { nameOf } from './contact-names.ts'
import { onEscape } from './escape.ts'
import { catchFocus } from './focus.ts'
import { Icon } from './icon.tsx'
import { Picture } from './picture.tsx'
import { PresenceLine } from './presence.tsx'
import { TheirWords } from './their-words.tsx'
import { useChanges } from './use-changes.ts'
import { Warning } from './warning.tsx'

/** The messages with a person in both directions, with the outcome of each own message. */
export function Conversation({ id, device }: { id: string; device: Device }): ReactNode {
  const person = useProfile(id)
  const name = nameOf(person)
  const { close } = usePlace(device.key)
  const all = useChanges(device.messages.changes, () => device.messages.all)
  const messages = all.filter(message => message.with === id)
  const heading = useRef<HTMLHeadingElement>(null)
  const list = useRef<HTMLOListElement>(null)
  const [failure, attempt] = useAttempt(device)
  useEffect(() => catchFocus(heading.current), [])
  useEffect(() => device.dismissMessagesOf(id), [device, id])
  useEffect(() => {
    if (messages.length > 0) list.current?.scrollTo({ top: list.current.scrollHeight })
  }, [messages.length])
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape in any control of the screen closes it.
    <div className="page talk" onKeyDown={onEscape(close)}>
      <header className="talk-head">
        <BackButton label={t.device.back} onPress={close} />
        <Picture name={name} bytes={person.fields['picture']} />
        <div>
          <Heading level={3} ref={heading} tabIndex={-1}>
            <TheirWords>{name}</TheirWords>
          </Heading>
          <PresenceLine id={id} isHidden={person.isBlocked} />
        </div>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard. */}
      <ol className="messages" ref={list} tabIndex={0} aria-live="polite" aria-label={t.talk.with(name)}>
        {messages.length === 0 && <li className="empty">{t.talk.none}</li>}
        {messages.map(message => (
          <Message key={message.id} message={message} />
        ))}
      </ol>
      <Warning text={failure} />
      <MessageForm name={name} onSend={text => void attempt(() => device.send(id, text))} />
    </div>
  )
}

function Message({ message: { text, atMs, state } }: { message: KeptMessage }): ReactNode {
  const time = new Date(atMs).toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' })
  return (
    <li className="message" data-state={state}>
      <p>
        <TheirWords>{text}</TheirWords>
      </p>
      <p className="quiet">
        {time}
        {state !== 'received' && ` · ${t.talk[state]}`}
      </p>
    </li>
  )
}

function MessageForm({ name, onSend }: { name: string; onSend: (text: string) => void }): ReactNode {
  const [text, setText] = useState('')
  const send = (event: FormEvent): void => {
    event.preventDefault()
    if (text.trim() === '') return
    setText('')
    onSend(text)
  }
  return (
    <Form className="message-form" onSubmit={send}>
      <TextField className="field" value={text} onChange={setText} maxLength={2000}>
        <Label>{t.talk.to(name)}</Label>
        <Input dir="auto" autoComplete="off" />
      </TextField>
      <Button className="primary" type="submit">
        <Icon name="send" />
        {t.talk.send}
      </Button>
    </Form>
  )
}
