import { useKith, useProfile } from '@kith/client/react'
import { type ReactNode, useEffect, useRef } from 'react'
import { Button, Heading } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import { isolated } from '../isolation.ts'
import { useAttempt } from './attempt.ts'
import { ChangedHands } from './changed-hands.tsx'
import { nameOf } from './contact-names.ts'
import { DraftField } from './draft-field.tsx'
import { FieldList } from './field-list.tsx'
import { catchFocus } from './focus.ts'
import { LevelsField } from './levels-field.tsx'
import { MessageForm } from './message-form.tsx'
import { Picture } from './picture.tsx'
import { PresenceLine } from './presence.tsx'
import { TheirWords } from './their-words.tsx'
import { Toggle } from './toggle.tsx'
import { SeenBy } from './view-as.tsx'

export interface ContactPageProps {
  id: string
  device: Device
  onBack: () => void
}

/** Somebody: what they show, what they may see, and what else there is between the two. Each change is saved at once. */
export function ContactPage({ id, device, onBack }: ContactPageProps): ReactNode {
  const kith = useKith()
  const person = useProfile(id)
  const [failure, attempt] = useAttempt()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => catchFocus(heading.current), [])
  const profile = kith.getProfile(id)
  const name = nameOf(person)
  const save = (stage: () => void): void => {
    void attempt(async () => {
      stage()
      await profile.save()
    })
  }
  const remove = (): void => {
    void attempt(async () => {
      await profile.remove()
      onBack()
    })
  }
  return (
    <div className="page scrolling">
      <Button className="back" onPress={onBack}>
        <span aria-hidden="true">‹</span> All contacts
      </Button>
      <div className="person">
        <Picture name={name} bytes={person.fields['picture']} />
        <div>
          <Heading level={3} ref={heading} tabIndex={-1}>
            <TheirWords>{name}</TheirWords>
          </Heading>
          <p className="quiet">
            <TheirWords>{id}</TheirWords>
          </p>
          <PresenceLine id={id} />
        </div>
      </div>
      {person.hasChangedHands && (
        <ChangedHands name={name} onConfirm={() => void attempt(() => profile.confirm())} onRemove={remove} />
      )}
      {failure !== undefined && (
        <p className="warning" role="alert">
          <TheirWords>{failure}</TheirWords>
        </p>
      )}
      <section className="shown" aria-label={`What ${isolated(name)} shows you`}>
        <h4>
          What <TheirWords>{name}</TheirWords> shows you
        </h4>
        {Object.keys(person.fields).length > 0 ? (
          <FieldList fields={person.fields} />
        ) : (
          <p className="quiet">
            {person.hasJoined
              ? 'They have filled in nothing that you may see.'
              : 'Nothing that this device holds. They may not be here yet, or show you nothing: that looks the same.'}
          </p>
        )}
      </section>
      <LevelsField
        label={`What ${isolated(name)} may see of your profile`}
        levels={person.levels}
        onChange={levels => save(() => profile.setProfileAccessLevels(levels))}
      />
      <SeenBy id={id} name={name} />
      <div className="toggles">
        <Toggle isOn={person.isSubscribed} onChange={isOn => save(() => profile.subscribe(isOn))}>
          Follow
        </Toggle>
        <Toggle isOn={person.isBlocked} onChange={isOn => save(() => profile.block(isOn))}>
          Block
        </Toggle>
      </div>
      <DraftField
        label="Your name for them"
        value={person.label ?? ''}
        onSave={label => save(() => profile.setLabel(label))}
      />
      <MessageForm to={id} name={name} device={device} />
      <Button className="danger" onPress={remove}>
        Remove from contacts
      </Button>
    </div>
  )
}
