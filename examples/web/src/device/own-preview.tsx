import { useContacts, useKith, useOwnProfile, useViewAs } from '@kith/client/react'
import { type ReactNode, useId, useState } from 'react'
import { Group } from 'react-aria-components'
import { circleName } from '../circles.ts'
import { personName } from '../devices/name.ts'
import { isolated } from '../isolation.ts'
import { t } from '../texts/texts.ts'
import { nameOf } from './contact-names.ts'
import { ProfileCard, reasonWords } from './profile-card.tsx'

/** The value of the select for a person, instead of a level. */
const aPerson = 'person'

/** A preview of the own profile while it is edited: as a circle sees it, or a person. */
export function OwnPreview({ levels }: { levels: readonly number[] }): ReactNode {
  const [choice, setChoice] = useState('0')
  return (
    <Group className="preview" aria-label={t.profile.preview}>
      <h4>{t.profile.preview}</h4>
      <label className="field">
        {t.profile.previewAs}
        <select value={choice} onChange={event => setChoice(event.target.value)}>
          {levels.map(level => (
            <option key={level} value={level}>
              {circleName(level)}
            </option>
          ))}
          <option value={aPerson}>{t.profile.person}</option>
        </select>
      </label>
      {choice === aPerson ? <AsPerson /> : <AsCircle level={Number(choice)} />}
    </Group>
  )
}

/** A member of one circle, who also sees level 0; or a stranger, who sees it unless the audience is narrower. */
function AsCircle({ level }: { level: number }): ReactNode {
  const { ownProfile } = useKith()
  const { publicAudience } = useOwnProfile()
  const seesPublic = publicAudience === 'everyone' || level > 0
  const levels = [...(seesPublic ? [0] : []), ...(level > 0 ? [level] : [])]
  const who = level === 0 ? t.seen.stranger : circleName(level)
  const reason = levels.length === 0 ? 'not-granted' : 'visible'
  return <ProfileCard fields={ownProfile.merged(levels)} reason={reason} text={reasonWords(who, reason, levels)} />
}

function AsPerson(): ReactNode {
  const contacts = useContacts()
  const [typed, setTyped] = useState('')
  const listId = useId()
  return (
    <>
      <label className="field">
        {t.profile.personName}
        <input value={typed} list={listId} dir="auto" onChange={event => setTyped(event.target.value)} />
      </label>
      <datalist id={listId}>
        {contacts?.slice(0, 200).map(contact => (
          <option key={contact.id} value={contact.id}>
            {isolated(nameOf(contact))}
          </option>
        ))}
      </datalist>
      {typed.trim() !== '' && <AsUser id={typed.trim()} />}
    </>
  )
}

function AsUser({ id }: { id: string }): ReactNode {
  const { fields, levels, reason } = useViewAs(id)
  return <ProfileCard fields={fields} reason={reason} text={reasonWords(personName(id), reason, levels)} />
}
