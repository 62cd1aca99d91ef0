import { type FlatMaps, type KeyChange, planAutomaticFollow, rosterSettings } from '@kith/shared'
import { edit } from '../database/edit.ts'
import type { Store } from '../database/store.ts'

/** Follows a user if automatic following is on and the user was neither blocked nor declined. */
export async function followAutomatically(store: Store, user: string): Promise<void> {
  const plan = (roster: FlatMaps): readonly KeyChange[] =>
    rosterSettings(roster).autoSync ? planAutomaticFollow(roster, user) : []
  if (plan(store.documents.roster.view).length > 0) await edit(store, 'roster', plan)
}
