import type { Store } from '../relations/store.ts'

/**
 * Resolves when this node may hand over a user's own documents. By then, each session whose tokens another node has revoked is
 * closed. The caller must hand over without another `await`.
 */
export async function mayHandOver({ lease }: Pick<Store, 'lease'>): Promise<void> {
  while (!lease.isCurrent()) await lease.held()
}
