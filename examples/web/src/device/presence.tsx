import { usePresence } from '@kith/client/react'
import type { ReactNode } from 'react'
import { locale, t } from '../texts/texts.ts'

/** A dot on the picture of a person who is online. */
export function PresenceDot({ id }: { id: string }): ReactNode {
  const isOnline = usePresence(id)?.isOnline ?? false
  return isOnline ? <span className="presence-dot" role="img" aria-label={t.contacts.online} /> : null
}

/** Whether a person is online, or when they were last online; an empty line if they do not show it. */
export function PresenceLine({ id, isHidden = false }: { id: string; isHidden?: boolean }): ReactNode {
  const presence = usePresence(id)
  return <p className="quiet presence-line">{presence && !isHidden && presenceWords(presence)}</p>
}

function presenceWords(presence: NonNullable<ReturnType<typeof usePresence>>): string {
  if (presence.isOnline) return t.person.onlineNow
  const { lastSeenAt } = presence
  if (!lastSeenAt) return t.person.notOnline
  return t.person.lastSeen(lastSeenAt.toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' }))
}
