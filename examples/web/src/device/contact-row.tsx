import type { Contact } from '@kith/client'
import { memo, type ReactNode } from 'react'
import { GridListItem } from 'react-aria-components'
import { circleName, circleNames } from '../circles.ts'
import type { KeptMessage } from '../devices/kept-messages.ts'
import { t } from '../texts/texts.ts'
import { nameOf } from './contact-names.ts'
import type { ListItem } from './list-items.ts'
import { Picture } from './picture.tsx'
import { PresenceDot } from './presence.tsx'
import { TheirWords } from './their-words.tsx'

/** In pixels: rows are positioned without being measured. */
export const rowHeight = 64

export interface ContactRowProps {
  item: ListItem
  /** Whether the page of this contact is shown beside the list. */
  isShown: boolean
}

export const ContactRow: (props: ContactRowProps) => ReactNode = memo(function ContactRow({ item, isShown }) {
  const { contact, letter, lastMessage } = item
  const name = nameOf(contact)
  return (
    <GridListItem
      id={contact.id}
      className="contact-row"
      textValue={name}
      data-shown={isShown}
      data-levels={contact.levels.join(' ')}
    >
      <span className="letter" aria-hidden="true">
        {letter}
      </span>
      <span className="picture-place">
        <Picture name={name} bytes={contact.fields['picture']} />
        {contact.hasJoined && !contact.isBlocked && <PresenceDot id={contact.id} />}
      </span>
      <div className="contact-text">
        <span className="contact-name">
          <TheirWords>{name}</TheirWords>
        </span>
        <span className="quiet">
          <TheirWords>{stateOf(contact, lastMessage)}</TheirWords>
        </span>
      </div>
      {!contact.isBlocked && <Circles levels={contact.levels} />}
    </GridListItem>
  )
})

/** The most important state of a contact. */
function stateOf(contact: Contact, lastMessage: KeptMessage | undefined): string {
  const { id, fields, isBlocked, hasChangedHands, isWaiting, hasJoined, isSubscribed } = contact
  if (isBlocked) return t.contacts.blocked
  if (hasChangedHands) return t.contacts.changedHands
  if (lastMessage) return lastMessage.state === 'received' ? lastMessage.text : t.contacts.you(lastMessage.text)
  if (isWaiting) return t.contacts.waiting
  if (!hasJoined && isSubscribed) return t.contacts.notHere
  const { about } = fields
  return typeof about === 'string' && about !== '' ? about : id
}

/** The name of one circle, and the number of others, so that room for the contact's name is left. */
function Circles({ levels }: { levels: readonly number[] }): ReactNode {
  const [first, ...others] = levels
  if (first === undefined) return null
  const all = t.contacts.inCircles(circleNames(levels))
  return (
    <span className="chips" title={all}>
      <span className="visually-hidden">{all}</span>
      <span className="chip" aria-hidden="true">
        {circleName(first)}
      </span>
      {others.length > 0 && (
        <span className="chip" aria-hidden="true">
          {t.contacts.moreCircles(others.length)}
        </span>
      )}
    </span>
  )
}
