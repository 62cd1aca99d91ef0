import type { Profile } from '@kith/client'
import type { Device } from '../devices/device.ts'
import { t } from '../texts/texts.ts'
import type { Attempt } from './attempt.ts'

/** Removes a contact; a notice offers to restore it as it was. `attempt` reports the failure of that. */
export async function removeContact(device: Device, profile: Profile, name: string, attempt: Attempt): Promise<void> {
  const { accessLevels, label, isSubscribed } = profile
  const levels = [...accessLevels]
  await profile.remove()
  const undo = async (): Promise<void> => {
    profile.setProfileAccessLevels(levels)
    if (label !== undefined) profile.setLabel(label)
    profile.subscribe(isSubscribed)
    await profile.save()
  }
  device.notify({ kind: 'done', text: t.person.removed(name), undo: () => void attempt(undo) })
}
