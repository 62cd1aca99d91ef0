import type { Profile } from '@kith/client'
import type { Device } from '../devices/device.ts'
import { anyErrorWords } from '../devices/error-words.ts'
import { t } from '../texts/texts.ts'

/** Removes a contact; a notice offers to restore it as it was. */
export async function removeContact(device: Device, profile: Profile, name: string): Promise<void> {
  const { accessLevels, label, isSubscribed } = profile
  const levels = [...accessLevels]
  await profile.remove()
  const undo = async (): Promise<void> => {
    try {
      profile.setProfileAccessLevels(levels)
      if (label !== undefined) profile.setLabel(label)
      profile.subscribe(isSubscribed)
      await profile.save()
    } catch (error) {
      const text = anyErrorWords(error)
      if (text === undefined) throw error
      device.notify({ kind: 'error', text })
    }
  }
  device.notify({ kind: 'done', text: t.person.removed(name), undo: () => void undo() })
}
