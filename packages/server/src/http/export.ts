import { type Fields, flatMapsOf } from '@kith/shared'
import { type AccountFile, accountFile } from '@kith/shared/account'
import { StoredDocument } from '../documents/stored-document.ts'
import type { Context } from '../socket/context.ts'

/**
 * All of a user's own data, as the client's `exportAccount` makes it, so that `importAccount` reads it: what the user wrote. Not
 * what others say of the user: that is theirs. The roster is loaded as a whole, which takes some 200 ms for one of 10,000
 * contacts.
 */
export async function exportOf(
  { store, clock }: Pick<Context, 'store' | 'clock'>,
  user: string,
  profile: ReadonlyMap<number, Fields>,
): Promise<AccountFile> {
  const unconfirmed = new Map<string, string>()
  for await (const { relations } of store.relationsOf(user)) {
    for (const { owner, relation } of relations) unconfirmed.set(owner, relation.mySide.unconfirmed)
  }
  const roster = new StoredDocument('roster', (await store.document(user, 'roster')).parts)
  try {
    return accountFile({
      ...{ user, profile, exportedAtMs: clock.now(), roster: flatMapsOf(roster.doc) },
      unconfirmedOf: id => unconfirmed.get(id) ?? '',
    })
  } finally {
    roster.destroy()
  }
}
