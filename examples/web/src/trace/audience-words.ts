import { type FlatMaps, parseNonceKey, rosterSettings } from '@kith/shared'
import type { Group } from './phrases.ts'
import type { KeyChanged } from './shadow.ts'

const audiences = { everyone: 'everyone', contacts: 'contacts only', nobody: 'nobody' } as const

/** Who level 0 is for, from now on: of several wishes the narrowest counts [R4]. */
export function audienceGroups(added: readonly KeyChanged[], removed: readonly KeyChanged[], after: FlatMaps): Group[] {
  if (added.length + removed.length === 0) return []
  const audience = audiences[rosterSettings(after).audience]
  const wished: string[] = added.map(({ key }) => {
    return parseNonceKey(key)?.name === 'nobody' ? audiences.nobody : audiences.contacts
  })
  const isAsWished = wished.length === 0 ? audience === audiences.everyone : wished.includes(audience)
  if (isAsWished) return [{ title: `audience: ${audience}`, items: [] }]
  const wish = wished[0] ?? 'a wider one'
  return [{ title: `audience: ${wish}, though ${audience} stands`, items: [] }]
}
