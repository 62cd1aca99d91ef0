import type { Fields } from '@kith/shared'
import type { Context } from '../socket/context.ts'

/**
 * Returns all of a user's own data in JSON, in the same format as the client's `exportAccount`, so that `importAccount` can
 * read it. A large roster is read in the merging thread, so others are served meanwhile [S3].
 */
export async function exportOf(
  { accounts, store, clock }: Pick<Context, 'accounts' | 'store' | 'clock'>,
  user: string,
  profile: ReadonlyMap<number, Fields>,
): Promise<Buffer> {
  const unconfirmed = new Map<string, string>()
  for await (const { relations } of store.relationsOf(user)) {
    for (const { owner, relation } of relations) {
      if (relation.mySide.unconfirmed !== '') unconfirmed.set(owner, relation.mySide.unconfirmed)
    }
  }
  const beside = { user, exportedAtMs: clock.now(), profile, unconfirmed }
  const account = accounts.of(user)
  const bytes = await new Promise<Uint8Array>((resolve, reject) => {
    account.task(() => account.exported(beside, resolve), reject)
  })
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
