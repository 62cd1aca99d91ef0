import type { Profile } from '@kith/client'
import type { ProfileState } from '@kith/client/react'
import type { ReactNode } from 'react'
import { Button, ToggleButton } from 'react-aria-components'
import type { Device } from '../devices/device.ts'
import { usePlace } from '../navigation/use-place.ts'
import { t } from '../texts/texts.ts'
import { Icon } from './icon.tsx'
import { seenOfMeId } from './seen-of-me.tsx'

export interface PersonActionsProps {
  person: ProfileState
  profile: Profile
  device: Device
  onSave: (stage: () => void) => void
}

/** The actions that the user can take with a person, in a row. */
export function PersonActions({ person, profile, device, onSave }: PersonActionsProps): ReactNode {
  const { openDialog, open, place } = usePlace(device.key)
  const { isSubscribed, isBlocked, id } = person
  const isFollowed = isSubscribed && !isBlocked
  return (
    <div className="actions">
      <Button isDisabled={isBlocked} onPress={() => open({ ...place, isTalk: true })}>
        <Icon name="message" />
        {t.person.message}
      </Button>
      <ToggleButton
        isDisabled={isBlocked}
        isSelected={isFollowed}
        onChange={isOn => onSave(() => profile.subscribe(isOn))}
      >
        <Icon name={isFollowed ? 'following' : 'follow'} />
        {isFollowed ? t.person.following : t.person.follow}
      </ToggleButton>
      <Button
        onPress={() => document.getElementById(seenOfMeId(device.name.user, id))?.scrollIntoView({ block: 'nearest' })}
      >
        <Icon name="circles" />
        {t.person.circles}
      </Button>
      <Button className="danger" onPress={() => (isBlocked ? onSave(() => profile.block(false)) : openDialog('block'))}>
        <Icon name="block" />
        {isBlocked ? t.person.unblock : t.person.block}
      </Button>
    </div>
  )
}
