import { type Audience, type FlatMaps, parseNonceKey, rosterSettings } from '@kith/shared'
import type { Group } from './phrases.ts'
import type { KeyChanged } from './shadow.ts'

const words = { everyone: 'everyone', contacts: 'contacts only', nobody: 'nobody' } as const

/** By name in `privacy`: the wanted audience, and what it is for. */
const wishes: Readonly<Record<string, { of: 'audience' | 'messages'; audience: Audience }>> = {
  contactsOnly: { of: 'audience', audience: 'contacts' },
  nobody: { of: 'audience', audience: 'nobody' },
  messagesContactsOnly: { of: 'messages', audience: 'contacts' },
  messagesNobody: { of: 'messages', audience: 'nobody' },
}

/** The new audiences of level 0 and of messages: of several settings, the narrowest counts [R4]. */
export function audienceGroups(added: readonly KeyChanged[], removed: readonly KeyChanged[], after: FlatMaps): Group[] {
  const { audience, messageAudience } = rosterSettings(after)
  return [
    ...groupsOf('audience', 'audience', audience, added, removed),
    ...groupsOf('messages', 'messages from', messageAudience, added, removed),
  ]
}

function groupsOf(
  of: 'audience' | 'messages',
  title: string,
  stands: Audience,
  added: readonly KeyChanged[],
  removed: readonly KeyChanged[],
): Group[] {
  const wished = audiencesIn(of, added)
  if (wished.length + audiencesIn(of, removed).length === 0) return []
  const isAsWished = wished.length === 0 ? stands === 'everyone' : wished.includes(stands)
  if (isAsWished) return [{ title: `${title}: ${words[stands]}`, items: [] }]
  const wish = wished[0] ? words[wished[0]] : 'a wider one'
  return [{ title: `${title}: ${wish}, though ${words[stands]} stands`, items: [] }]
}

function audiencesIn(of: 'audience' | 'messages', keys: readonly KeyChanged[]): Audience[] {
  return keys.flatMap(({ key }) => {
    const wish = wishes[parseNonceKey(key)?.name ?? '']
    return wish?.of === of ? [wish.audience] : []
  })
}
