import { ContactSynchronizer, type Kith } from '@kith/client'
import type { Operation } from '../model/plans.ts'

/** Performs an operation of the model on a real client. Resolves when it is on the device's disk. */
export async function act(kith: Kith, operation: Operation): Promise<void> {
  switch (operation.type) {
    case 'sync':
    case 'update': {
      const synchronizer = new ContactSynchronizer(kith)
      if (operation.levels !== undefined) synchronizer.setProfileAccessLevels(operation.levels)
      if (operation.follows !== undefined) synchronizer.subscribe(operation.follows)
      if (operation.type === 'sync') await synchronizer.sync(operation.whom)
      else await synchronizer.syncAsUpdate(operation.whom)
      return
    }
    case 'save': {
      const profile = kith.getProfile(operation.whom)
      if (operation.levels !== undefined) profile.setProfileAccessLevels(operation.levels)
      if (operation.follows !== undefined) profile.subscribe(operation.follows)
      if (operation.label !== undefined) profile.setLabel(operation.label)
      if (operation.blocks !== undefined) profile.block(operation.blocks)
      return profile.save()
    }
    case 'remove':
      return kith.getProfile(operation.whom).remove()
    case 'confirm':
      return kith.getProfile(operation.whom).confirm()
    case 'meet':
      kith.getProfile(operation.whom)
      return
    case 'audience':
      return kith.setPublicAudience(operation.audience)
    case 'hide':
      return kith.setHidePresence(operation.isHidden)
    case 'autoSync':
      return kith.enableAutoSyncContacts(operation.isOn)
    case 'set':
      return kith.ownProfile.set(operation.field, operation.value, { level: operation.level })
    case 'unset':
      return kith.ownProfile.unset(operation.field, { level: operation.level })
  }
}
