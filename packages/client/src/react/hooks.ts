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
 * All components of one client that show the same share one subscription. What a hook gives is the same object until it
 * looks different. When this device's database can't be read, a hook throws the KithError `database-failed`, for the error
 * boundary above it: it has nothing true to show, and rendering it again tries again.
 */

/**
 * Everyone contacted, followed or blocked, by user id, or those of them who match a filter; `undefined` until first read. Rows
 * that look as before are the very same objects, so a row component in `memo` renders again only when its own row changes. All
 * components share one query, whatever their filters.
 *
 * ```tsx
 * const family = useContacts({ level: 2, query }) // as in kith.contacts(filter)
 * ```
 *
 * @param filter - What must apply to a row; it may be a new object each time. A wrong one is a `TypeError`.
 * @returns The rows by user id, or `undefined` before they were first read.
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
 * Somebody's row, at once, whether a contact or not. Showing it is an access, as `kith.getProfile` is: the profile is
 * fetched and, with automatic synchronisation, followed. A long list shows the rows of `useContacts` instead.
 *
 * @param id - A user id.
 * @returns The row, with `isLoaded`.
 */
export function useProfile<F extends FieldTypes<F> = Fields>(id: string): ProfileState<F> {
  return useShared(queriesOf(useKith()).profile(id)) as unknown as ProfileState<F>
}

/**
 * The own profile: fields by level, who sees level 0, whether presence is hidden, and what changes the fields.
 *
 * @returns The state of the own profile, with `set` and `unset`.
 */
export function useOwnProfile<F extends FieldTypes<F> = Fields, L extends string = never>(): OwnProfileControls<F, L> {
  return useShared(queriesOf(useKith()).ownProfile) as unknown as OwnProfileControls<F, L>
}

/**
 * How far this device and the server are: see `kith.status` and `kith.unsent`.
 *
 * @returns The status of the connection, and the number of changes that are not on the server's disk.
 */
export function useSyncStatus(): SyncStatus {
  return useShared(queriesOf(useKith()).syncStatus)
}

/**
 * What that person sees of the own profile, and why: see `kith.viewAs`. It is no access.
 *
 * @param id - A user id.
 * @returns Levels, fields and the reason.
 */
export function useViewAs<F extends FieldTypes<F> = Fields>(id: string): ViewAs<F> {
  return useShared(queriesOf(useKith()).viewAs(id)) as unknown as ViewAs<F>
}

/**
 * Whether a user is online, or when they last were: see `kith.livePresence`. It is not an access.
 *
 * @param id - A user id.
 * @returns The presence, or `undefined` while it is not known.
 */
export function usePresence(id: string): Presence | undefined {
  return useShared(queriesOf(useKith()).presence(id))
}

function useShared<T>({ subscribe, getSnapshot }: SharedQuery<T>): T {
  return useSyncExternalStore(subscribe, getSnapshot, getSnapshot)
}
