import type { Fields } from '@kith/shared'
import { decodeFields } from '@kith/shared/wire'
import type { Store } from '../relations/store.ts'
import type { Context } from '../socket/context.ts'

/**
 * Returns all of a user's own data in JSON, in the same format as the client's `exportAccount`, so that `importAccount` can
 * read it. All of it is of one account: if the account is erased meanwhile, by any node, nothing is exported. A large roster is
 * read in the merging thread, so others are served meanwhile [S3].
 *
 * @returns Resolves to the file, or to `undefined` if the user has no account.
 */
export function exportOf(
  { accounts, store, clock }: Pick<Context, 'accounts' | 'store' | 'clock'>,
  user: string,
): Promise<Buffer | undefined> {
  const account = accounts.of(user)
  return new Promise((resolve, reject) => {
    account.task(async () => {
      const { registeredAt } = await store.user(user)
      const profile = await fieldsOf(store, user)
      const beside = { user, exportedAtMs: clock.now(), profile, unconfirmed: await unconfirmedOf(store, user) }
      let file: Uint8Array | undefined
      await account.exported(beside, bytes => {
        file = bytes
      })
      const isSame = registeredAt > 0 && (await store.user(user)).registeredAt === registeredAt
      resolve(file && isSame ? Buffer.from(file.buffer, file.byteOffset, file.length) : undefined)
    }, reject)
  })
}

async function unconfirmedOf(store: Store, user: string): Promise<Map<string, string>> {
  const unconfirmed = new Map<string, string>()
  for await (const { relations } of store.relationsOf(user)) {
    for (const { owner, relation } of relations) {
      if (relation.mySide.unconfirmed !== '') unconfirmed.set(owner, relation.mySide.unconfirmed)
    }
  }
  return unconfirmed
}

/** Returns the fields of a user's profile, by level. */
export async function fieldsOf(store: Store, user: string): Promise<Map<number, Fields>> {
  const names = (await store.levelsWithFields(user)).map(level => ({ owner: user, level }))
  const records = await store.levels(names)
  return new Map(names.map(({ level }, index) => [level, decodeFields(records[index]?.fields ?? new Uint8Array())]))
}
