import type { Store } from '../relations/store.ts'

/**
 * Resolves when this node may hand over a user's own documents: a session whose tokens another node has revoked meanwhile is
 * closed by then. The caller hands over without another `await`.
 */
export async function mayHandOver({ lease }: Pick<Store, 'lease'>): Promise<void> {
  while (!lease.isCurrent()) await lease.held()
}
