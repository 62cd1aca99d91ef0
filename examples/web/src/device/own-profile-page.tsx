import type { Audience } from '@kith/client'
import { useKith, useOwnProfile } from '@kith/client/react'
import type { ReactNode } from 'react'
import { Label, Radio, RadioGroup } from 'react-aria-components'
import { audienceName, audiences } from '../audiences.ts'
import { AddField } from './add-field.tsx'
import { useAttempt } from './attempt.ts'
import { DraftField } from './draft-field.tsx'
import { valueWords } from './field-list.tsx'
import { OwnPicture } from './own-picture.tsx'
import { TheirWords } from './their-words.tsx'
import { Toggle } from './toggle.tsx'
import { ViewAs } from './view-as.tsx'

/** What most people fill in, by level: shown while empty too. */
const usual: ReadonlyMap<number, readonly string[]> = new Map([
  [0, ['name', 'about']],
  [1, ['birthday']],
  [2, ['home']],
  [5, ['phone']],
])

/** One's own profile, level by level, and how it looks to somebody else. */
export function OwnProfilePage(): ReactNode {
  const kith = useKith()
  const { fields, publicAudience, messageAudience, hidesPresence, set, unset } = useOwnProfile()
  const [failure, attempt] = useAttempt()
  const levels = [...new Set([...audiences.map(({ level }) => level), ...fields.keys()])].sort((a, b) => a - b)
  const save = (name: string, level: number, value: string): void => {
    void attempt(() => (value === '' ? unset(name, { level }) : set(name, value, { level })))
  }
  return (
    <div className="page scrolling">
      <h3 className="visually-hidden">My profile</h3>
      <OwnPicture name={textOf(fields.get(0)?.['name']) || kith.user} attempt={attempt} />
      {failure !== undefined && (
        <p className="warning" role="alert">
          <TheirWords>{failure}</TheirWords>
        </p>
      )}
      {levels.map(level => {
        const held = fields.get(level) ?? {}
        const names = [...new Set([...(usual.get(level) ?? []), ...Object.keys(held)])]
        return (
          <section key={level} className="own-level" data-level={level} aria-label={audienceName(level)}>
            <h4>{audienceName(level)}</h4>
            {names
              .filter(name => name !== 'picture')
              .map(name => (
                <DraftField
                  key={name}
                  label={name}
                  value={textOf(held[name])}
                  onSave={value => save(name, level, value)}
                />
              ))}
          </section>
        )
      })}
      <AddField levels={levels} onAdd={save} />
      <AudienceChoice
        question="Who sees my public level"
        words={publicWords}
        audience={publicAudience}
        onChange={audience => void attempt(() => kith.setPublicAudience(audience))}
      />
      <AudienceChoice
        question="Whose messages reach me"
        words={messageWords}
        audience={messageAudience}
        onChange={audience => void attempt(() => kith.setMessageAudience(audience))}
      />
      <Toggle isOn={hidesPresence} onChange={isOn => void attempt(() => kith.setHidePresence(isOn))}>
        Hide when I am online
      </Toggle>
      <ViewAs />
    </div>
  )
}

function textOf(value: Parameters<typeof valueWords>[0]): string {
  return value === undefined ? '' : valueWords(value)
}

type AudienceWords = readonly [Audience, string][]

const publicWords: AudienceWords = [
  ['everyone', 'Everyone'],
  ['contacts', 'My contacts'],
  ['nobody', 'Only those I gave a level'],
]

const messageWords: AudienceWords = [
  ['everyone', 'Everyone’s'],
  ['contacts', 'My contacts’'],
  ['nobody', 'Nobody’s'],
]

function AudienceChoice({
  question,
  words,
  audience,
  onChange,
}: {
  question: string
  words: AudienceWords
  audience: Audience
  onChange: (audience: Audience) => void
}): ReactNode {
  return (
    <RadioGroup className="audience" value={audience} onChange={value => onChange(value as Audience)}>
      <Label>{question}</Label>
      {words.map(([value, name]) => (
        <Radio key={value} value={value} className="radio">
          {name}
        </Radio>
      ))}
    </RadioGroup>
  )
}
