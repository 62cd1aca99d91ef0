import type { Contact } from '@kith/client'
import { memo, type ReactNode } from 'react'
import { GridListItem } from 'react-aria-components'
import { audienceName } from '../audiences.ts'
import { nameOf } from './contact-names.ts'
import { Picture } from './picture.tsx'
import { PresenceDot } from './presence.tsx'
import { TheirWords } from './their-words.tsx'

/** In pixels: rows are placed without being measured. */
export const rowHeight = 60

export const ContactRow: (props: { contact: Contact }) => ReactNode = memo(function ContactRow({ contact }) {
  const name = nameOf(contact)
  return (
    <GridListItem id={contact.id} className="contact-row" textValue={name}>
      <Picture name={name} bytes={contact.fields['picture']} />
      <div className="contact-text">
        <span className="contact-name">
          <TheirWords>{name}</TheirWords>
          {contact.hasJoined && !contact.isBlocked && <PresenceDot id={contact.id} />}
        </span>
        <span className="quiet">
          <TheirWords>{stateOf(contact)}</TheirWords>
        </span>
      </div>
      <LevelChips levels={contact.levels} />
    </GridListItem>
  )
})

/** The one thing that matters most of somebody. */
function stateOf({
  id,
  fields,
  isBlocked,
  hasChangedHands,
  isWaiting,
  hasJoined,
  isSubscribed,
  isContact,
}: Contact): string {
  if (isBlocked) return 'Blocked'
  if (hasChangedHands) return 'May be another person now'
  if (isWaiting) return 'Waits for room among those you follow'
  if (!isSubscribed && !isContact) return id
  if (!hasJoined) return isSubscribed ? 'Shows you nothing yet' : id
  const { about } = fields
  return typeof about === 'string' && about !== '' ? about : id
}

/** So many have room beside a name. */
const mostChips = 4

function LevelChips({ levels }: { levels: readonly number[] }): ReactNode {
  const shown = levels.length > mostChips ? levels.slice(0, mostChips - 1) : levels
  const others = levels.slice(shown.length)
  return (
    <span className="chips">
      {shown.map(level => (
        <span key={level} className="chip" data-level={level} title={`May see ${audienceName(level)}`}>
          {level}
        </span>
      ))}
      {others.length > 0 && (
        <span className="chip" title={`May see ${others.map(audienceName).join(', ')}`}>
          +{others.length}
        </span>
      )}
    </span>
  )
}
