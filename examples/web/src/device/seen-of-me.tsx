import type { Audience, Fields } from '@kith/client'
import { type ProfileState, useKith, useOwnProfile, useViewAs } from '@kith/client/react'
import type { ReactNode } from 'react'
import { Group } from 'react-aria-components'
import { circleName, withUsualLevels } from '../circles.ts'
import { isolated } from '../isolation.ts'
import { t } from '../texts/texts.ts'
import { fieldLabel, namesInOrder } from './field-list.tsx'
import { ProfileCard, reasonWords } from './profile-card.tsx'
import { Toggle } from './toggle.tsx'

export interface SeenOfMeProps {
  person: ProfileState
  name: string
  onSave: (levels: number[]) => void
}

/** What a person sees of the user: one switch for each circle with its fields, and the card that they see. */
export function SeenOfMe({ person, name, onSave }: SeenOfMeProps): ReactNode {
  const { user } = useKith()
  const { fields, publicAudience } = useOwnProfile()
  const view = useViewAs(person.id)
  const { id, levels, isBlocked } = person
  const change = (level: number, isOn: boolean): void => {
    onSave([...levels.filter(one => one !== level), ...(isOn ? [level] : [])].sort((a, b) => a - b))
  }
  return (
    <Group className="seen-of-me" id={seenOfMeId(user, id)} aria-label={t.person.sees(name)}>
      <h4>{t.person.sees(name)}</h4>
      <ul className="circle-list">
        <li data-level={0}>
          <Everyone
            person={person}
            name={name}
            audience={publicAudience}
            fields={fields.get(0)}
            onChange={isOn => change(0, isOn)}
          />
        </li>
        {withUsualLevels(levels)
          .filter(level => level > 0)
          .map(level => (
            <li key={level} data-level={level}>
              <Toggle
                isOn={levels.includes(level) && !isBlocked}
                isDisabled={isBlocked}
                hint={circleHint(fields.get(level), levels.includes(level) && !isBlocked)}
                onChange={isOn => change(level, isOn)}
              >
                {circleName(level)}
              </Toggle>
            </li>
          ))}
      </ul>
      <ProfileCard fields={view.fields} reason={view.reason} text={reasonWords(name, view.reason, view.levels)} />
    </Group>
  )
}

/** The element id to which a button scrolls. */
export function seenOfMeId(user: string, id: string): string {
  return `seen-of-me:${user}:${id}`
}

interface EveryoneProps {
  person: ProfileState
  name: string
  audience: Audience
  fields: Fields | undefined
  onChange: (isGranted: boolean) => void
}

/**
 * A person sees level 0 because of the audience, because they are in any circle, or because of a grant of level 0. The page
 * says which, and the switch changes only the grant.
 */
function Everyone({ person, name, audience, fields, onChange }: EveryoneProps): ReactNode {
  const { levels, isBlocked } = person
  const isGranted = levels.includes(0)
  const why = isBlocked ? undefined : whyEveryone(person, audience)
  if (!why) {
    const hint = isGranted ? t.person.everyoneGranted(name) : t.person.everyoneNot
    return (
      <Toggle
        isOn={isGranted && !isBlocked}
        isDisabled={isBlocked}
        hint={isBlocked ? circleHint(fields, false) : hint}
        onChange={onChange}
      >
        {circleName(0)}
      </Toggle>
    )
  }
  return (
    <div className="by-audience">
      <p className="circle-words">
        <span>{circleName(0)}</span>
        <span className="quiet">{why(name)}</span>
      </p>
      <Toggle isOn={isGranted} onChange={onChange}>
        {t.person.everyoneKeep}
      </Toggle>
    </div>
  )
}

/** Why a person sees level 0 without a grant of it; `undefined` if they would not see it. */
function whyEveryone({ levels, isContact }: ProfileState, audience: Audience): ((name: string) => string) | undefined {
  if (audience === 'everyone') return t.person.everyoneByAudience
  if (audience === 'contacts' && isContact) return t.person.everyoneByContact
  return levels.some(level => level > 0) ? t.person.everyoneByCircle : undefined
}

function circleHint(fields: Fields | undefined, isOn: boolean): string {
  const names = namesInOrder(Object.keys(fields ?? {})).map(name => isolated(fieldLabel(name)))
  if (names.length === 0) return t.person.circleEmpty
  return isOn ? t.person.circleFields(names.join(', ')) : t.person.circleHides(names.join(', '))
}
