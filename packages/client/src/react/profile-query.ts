import type { Fields } from '@kith/shared'
import type { FieldTypes } from '../api/app-types.ts'
import { checkUserId } from '../api/arguments.ts'
import { type Contact, sameContact } from '../api/contacts.ts'
import { coreOf } from '../api/core-of.ts'
import type { Kith } from '../api/kith.ts'
import { follow, unlessClosed } from './follow.ts'
import type { QueryPlan } from './shared-query.ts'

/** A row as in `contacts()`, of any user. */
export interface ProfileState<F extends FieldTypes<F> = Fields> extends Contact<F> {
  /** Whether it contains this device's replicas and, when connected, the server has answered: absent fields are not visible. */
  isLoaded: boolean
}

/** The first component that shows a profile accesses it. Data in memory is shown immediately. */
export function profileQuery(kith: Kith, id: string): QueryPlan<ProfileState> {
  const isOwn = checkUserId(id) === kith.user
  return {
    initial: () => ({ ...coreOf(kith).shown.row(checkUserId(id)), isLoaded: isOwn }),
    isSame: (a, b) => a.isLoaded === b.isLoaded && sameContact(a, b),
    start(told) {
      let isLoaded = isOwn
      let stop: (() => void) | undefined
      let isEnded = false
      const show = (): void => {
        if (isEnded) return
        stop?.()
        stop = follow(() => kith.liveProfile(id), {
          ...told,
          next: contact => told.next({ ...contact, isLoaded }),
        })
      }
      unlessClosed(() => {
        const { loaded } = kith.getProfile(id)
        // Subscribed again once the profile is loaded, so that `isLoaded` and the loaded data are emitted together.
        if (!isOwn)
          void loaded.then(() => {
            isLoaded = true
            show()
          })
      })
      show()
      return () => {
        isEnded = true
        stop?.()
      }
    },
  }
}
