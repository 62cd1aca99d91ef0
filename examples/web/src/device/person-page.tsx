import { useKith, useProfile } from '@kith/client/react'
import { type ReactNode, useEffect, useRef } from 'react'
import { Button, Group, Heading } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import { usePlace } from '../navigation/use-place.ts'
import { t } from '../texts/texts.ts'
import { useAttempt } from './attempt.ts'
import { BackButton } from './back-button.tsx'
import { BlockDialog } from './block-dialog.tsx'
import { ChangedHands } from './changed-hands.tsx'
import { nameOf } from './contact-names.ts'
import { DraftField } from './draft-field.tsx'
import { onEscape } from './escape.ts'
import { FieldList } from './field-list.tsx'
import { catchFocus } from './focus.ts'
import { PersonActions } from './person-actions.tsx'
import { Picture } from './picture.tsx'
import { PresenceLine } from './presence.tsx'
import { removeContact } from './remove-contact.ts'
import { SeenOfMe } from './seen-of-me.tsx'
import { TheirWords } from './their-words.tsx'
import { Warning } from './warning.tsx'

/** A person: what they show, what they see of the user, and everything else about the two. Each change is saved immediately. */
export function PersonPage({ id, device }: { id: string; device: Device }): ReactNode {
  const kith = useKith()
  const person = useProfile(id)
  const { close } = usePlace(device.key)
  const [failure, attempt] = useAttempt(device)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => catchFocus(heading.current), [])
  const profile = kith.getProfile(id)
  const name = nameOf(person)
  const save = (stage: () => void): Promise<boolean> =>
    attempt(async () => {
      stage()
      await profile.save()
    })
  const remove = async (): Promise<void> => {
    if (await attempt(() => removeContact(device, profile, name, attempt))) close()
  }
  const { name: theirName, ...otherFields } = person.fields
  const shown = person.label === undefined ? otherFields : person.fields
  const hasFields = Object.keys(shown).some(field => field !== 'picture')
  const nothing = theirName !== undefined ? t.person.showsNameOnly : t.person.showsNothing
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape in any control of the screen closes it.
    <div className="page scrolling person-page" onKeyDown={onEscape(close)}>
      <BackButton label={t.person.allContacts} onPress={close} />
      <div className="person-head">
        <Picture isLarge name={name} bytes={person.fields['picture']} />
        <Heading level={3} ref={heading} tabIndex={-1}>
          <TheirWords>{name}</TheirWords>
        </Heading>
        <p className="quiet">
          <TheirWords>{id}</TheirWords>
        </p>
        <PresenceLine id={id} isHidden={person.isBlocked} />
      </div>
      {person.hasChangedHands && (
        <ChangedHands
          name={name}
          onConfirm={() => void attempt(() => profile.confirm())}
          onRemove={() => void remove()}
        />
      )}
      <PersonActions person={person} device={device} onSave={stage => void save(stage)} profile={profile} />
      <Warning text={failure} />
      {person.isBlocked ? (
        <p className="blocked-note">{t.person.whileBlocked(name)}</p>
      ) : (
        <Group className="shown" aria-label={t.person.shows(name)}>
          <h4>{t.person.shows(name)}</h4>
          {hasFields ? (
            <FieldList fields={shown} />
          ) : (
            <p className="quiet">{person.hasJoined ? nothing : t.person.showsNothingYet}</p>
          )}
        </Group>
      )}
      <SeenOfMe
        person={person}
        name={name}
        onSave={levels => void save(() => profile.setProfileAccessLevels(levels))}
      />
      <DraftField
        label={t.person.label}
        value={person.label ?? ''}
        onSave={label => save(() => profile.setLabel(label.trim()))}
      />
      <Button className="danger" onPress={() => void remove()}>
        {t.person.remove}
      </Button>
      <BlockDialog name={name} device={device} onBlock={isOn => void save(() => profile.block(isOn))} />
    </div>
  )
}
