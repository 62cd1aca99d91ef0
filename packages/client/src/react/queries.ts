import type { Fields } from '@kith/shared'
import type { FieldTypes } from '../api/app-types.ts'
import type { Contact } from '../api/contacts.ts'
import { coreOf } from '../api/core-of.ts'
import type { Kith } from '../api/kith.ts'
import type { OwnProfile } from '../api/own-profile.ts'
import { sameView, type ViewAs } from '../api/view-as.ts'
import { type OwnProfileState, readOwnProfile, sameOwnProfile } from '../live/own-profile.ts'
import { type SyncStatus, sameSyncStatus } from '../live/sync-status.ts'
import { type Presence, samePresence } from '../presence/presence.ts'
import { follow } from './follow.ts'
import { type ProfileState, profileQuery } from './profile-query.ts'
import { type QueryPlan, SharedQuery } from './shared-query.ts'

/** The own profile, and the functions that change its fields. */
export interface OwnProfileControls<F extends FieldTypes<F> = Fields, L extends string = never>
  extends OwnProfileState<F> {
  /** See {@link OwnProfile.set}. */
  set: OwnProfile<F, L>['set']
  /** See {@link OwnProfile.unset}. */
  unset: OwnProfile<F, L>['unset']
}

/** The queries that the components of one client share. */
export interface Queries {
  readonly contacts: SharedQuery<readonly Contact[] | undefined>
  readonly ownProfile: SharedQuery<OwnProfileControls>
  readonly syncStatus: SharedQuery<SyncStatus>
  profile(id: string): SharedQuery<ProfileState>
  viewAs(id: string): SharedQuery<ViewAs>
  presence(id: string): SharedQuery<Presence | undefined>
}

const queriesByKith = new WeakMap<Kith, Queries>()

export function queriesOf(kith: Kith): Queries {
  const known = queriesByKith.get(kith)
  if (known) return known
  const queries = newQueries(kith)
  queriesByKith.set(kith, queries)
  return queries
}

function newQueries(kith: Kith): Queries {
  const set: OwnProfile['set'] = (...details) => kith.ownProfile.set(...details)
  const unset: OwnProfile['unset'] = (...details) => kith.ownProfile.unset(...details)
  return {
    contacts: new SharedQuery<readonly Contact[] | undefined>({
      initial: () => undefined,
      isSame: Object.is,
      start: subscriber => follow(() => kith.contacts(), subscriber),
    }),
    ownProfile: new SharedQuery<OwnProfileControls>({
      initial: () => ({ ...readOwnProfile(coreOf(kith).store.documents), set, unset }),
      isSame: sameOwnProfile,
      start: subscriber =>
        follow(() => kith.liveOwnProfile(), {
          ...subscriber,
          next: state => subscriber.next({ ...state, set, unset }),
        }),
    }),
    syncStatus: new SharedQuery({
      initial: () => ({ status: kith.status, unsent: kith.unsent }),
      isSame: sameSyncStatus,
      start: subscriber => follow(() => kith.liveSyncStatus(), subscriber),
    }),
    profile: byId(id => profileQuery(kith, id)),
    viewAs: byId(id => ({
      initial: () => kith.viewAs(id),
      isSame: sameView,
      start: subscriber => follow(() => kith.liveViewAs(id), subscriber),
    })),
    presence: byId(id => ({
      initial: () => undefined,
      isSame: samePresence,
      start: subscriber => follow(() => kith.livePresence(id), subscriber),
    })),
  }
}

/** Keeps the query of an id only while a component uses it: over time, an app may show very many users. */
function byId<T>(plan: (id: string) => QueryPlan<T>): (id: string) => SharedQuery<T> {
  const queries = new Map<string, SharedQuery<T>>()
  return id => {
    const known = queries.get(id)
    if (known) return known
    const query = new SharedQuery(plan(id), () => {
      if (queries.get(id) === query) queries.delete(id)
    })
    queries.set(id, query)
    return query
  }
}
