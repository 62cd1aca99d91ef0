import type { Fields } from '@kith/shared'
import { useState, useSyncExternalStore } from 'react'
import type { FieldTypes } from '../api/app-types.ts'
import type { ContactFilter } from '../api/contact-filter.ts'
import type { Contact } from '../api/contacts.ts'
import { coreOf } from '../api/core-of.ts'
import type { ViewAs } from '../api/view-as.ts'
import type { SyncStatus } from '../live/sync-status.ts'
import type { Presence } from '../presence/presence.ts'
import { filteredContacts } from './filtered-contacts.ts'
import type { ProfileState } from './profile-query.ts'
import { useKith } from './provider.ts'
import { type OwnProfileControls, queriesOf } from './queries.ts'
import type { SharedQuery } from './shared-query.ts'

/*
 * All components of one client that show the same data share one subscription. The value of a hook stays the same object until
 * it changes. If this device's database cannot be read, a hook throws the KithError `database-failed` for the error boundary
 * above it, since it has no correct data to show. Rendering the component again retries.
 */

/**
 * The rows of all users who are contacts, followed or blocked, ordered by user id, or of those who match a filter; `undefined`
 * until first read. Unchanged rows are the same objects as before, so a row component in `memo` renders again only when its own
 * row changes. All components share one query, whatever their filters.
 *
 * ```tsx
 * const family = useContacts({ level: 2, query }) // as in kith.contacts(filter)
 * ```
 *
 * @param filter - The conditions that a row must meet; it may be a new object each time. A wrong filter is a `TypeError`.
 * @returns The rows ordered by user id, or `undefined` before they were first read.
 */
export function useContacts<F extends FieldTypes<F> = Fields, L extends string = never>(
  filter: ContactFilter<L> = {},
): readonly Contact<F>[] | undefined {
  const kith = useKith()
  const contacts = useShared(queriesOf(kith).contacts)
  const { select } = useState(filteredContacts)[0]
  return select(contacts, filter, coreOf(kith).shown.levelNames) as unknown as readonly Contact<F>[] | undefined
}

/**
 * The row of any user, contact or not, available immediately. Showing it is an access, as `kith.getProfile` is: the profile is
 * fetched and, with automatic following, followed. For a long list, use the rows of `useContacts` instead.
 *
 * @param id - A user id.
 * @returns The row, with `isLoaded`.
 */
export function useProfile<F extends FieldTypes<F> = Fields>(id: string): ProfileState<F> {
  return useShared(queriesOf(useKith()).profile(id)) as unknown as ProfileState<F>
}

/**
 * The own profile: fields by level, who sees level 0, whether presence is hidden, and functions that change the fields.
 *
 * @returns The state of the own profile, with `set` and `unset`.
 */
export function useOwnProfile<F extends FieldTypes<F> = Fields, L extends string = never>(): OwnProfileControls<F, L> {
  return useShared(queriesOf(useKith()).ownProfile) as unknown as OwnProfileControls<F, L>
}

/**
 * How far this device and the server are synchronised: see `kith.status` and `kith.unsent`.
 *
 * @returns The status of the connection, and the number of changes that are not on the server's disk.
 */
export function useSyncStatus(): SyncStatus {
  return useShared(queriesOf(useKith()).syncStatus)
}

/**
 * What a user sees of the own profile, and why: see `kith.viewAs`. This is not an access.
 *
 * @param id - A user id.
 * @returns Levels, fields and the reason.
 */
export function useViewAs<F extends FieldTypes<F> = Fields>(id: string): ViewAs<F> {
  return useShared(queriesOf(useKith()).viewAs(id)) as unknown as ViewAs<F>
}

/**
 * Whether a user is online, or when they were last online: see `kith.livePresence`. This is not an access.
 *
 * @param id - A user id.
 * @returns The presence, or `undefined` while it is unknown.
 */
export function usePresence(id: string): Presence | undefined {
  return useShared(queriesOf(useKith()).presence(id))
}

function useShared<T>({ subscribe, getSnapshot }: SharedQuery<T>): T {
  return useSyncExternalStore(subscribe, getSnapshot, getSnapshot)
}
