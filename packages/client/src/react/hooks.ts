import { useSyncExternalStore } from 'react'
import type { Contact } from '../api/contacts.ts'
import type { ViewAs } from '../api/view-as.ts'
import type { SyncStatus } from '../live/sync-status.ts'
import type { Presence } from '../presence/presence.ts'
import type { ProfileState } from './profile-query.ts'
import { useKith } from './provider.ts'
import { type OwnProfileControls, queriesOf } from './queries.ts'
import type { SharedQuery } from './shared-query.ts'

/*
 * All components of one client that show the same share one subscription. What a hook gives is the same object until it
 * looks different. When this device's database can't be read, a hook throws the KithError `database-failed`, for the error
 * boundary above it: it has nothing true to show, and rendering it again tries again.
 */

/**
 * Everyone contacted, followed or blocked, by user id; `undefined` until first read. Rows that look as before are the very
 * same objects, so a row component in `memo` renders again only when its own row changes.
 */
export function useContacts(): readonly Contact[] | undefined {
  return useShared(queriesOf(useKith()).contacts)
}

/**
 * Somebody's row, at once, whether a contact or not. Showing it is an access, as `kith.getProfile` is: the profile is
 * fetched and, with automatic synchronisation, followed. A long list shows the rows of `useContacts` instead.
 */
export function useProfile(id: string): ProfileState {
  return useShared(queriesOf(useKith()).profile(id))
}

/** The own profile: fields by level, who sees level 0, whether presence is hidden, and what changes the fields. */
export function useOwnProfile(): OwnProfileControls {
  return useShared(queriesOf(useKith()).ownProfile)
}

export function useSyncStatus(): SyncStatus {
  return useShared(queriesOf(useKith()).syncStatus)
}

/** What that person sees of the own profile, and why: see `kith.viewAs`. It is no access. */
export function useViewAs(id: string): ViewAs {
  return useShared(queriesOf(useKith()).viewAs(id))
}

/** Whether a user is online, or when they last were: see `kith.livePresence`. It is not an access. */
export function usePresence(id: string): Presence | undefined {
  return useShared(queriesOf(useKith()).presence(id))
}

function useShared<T>({ subscribe, getSnapshot }: SharedQuery<T>): T {
  return useSyncExternalStore(subscribe, getSnapshot, getSnapshot)
}
