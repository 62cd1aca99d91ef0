import { usePresence } from '@kith/client/react'
import type { ReactNode } from 'react'

/** A dot beside the name of whoever is online. */
export function PresenceDot({ id }: { id: string }): ReactNode {
  const isOnline = usePresence(id)?.isOnline ?? false
  return isOnline ? <span className="presence-dot" role="img" aria-label="online" /> : null
}

/** Whether somebody is online, or when they last were; an empty line when they don't show it. */
export function PresenceLine({ id }: { id: string }): ReactNode {
  const presence = usePresence(id)
  return <p className="quiet presence-line">{presence && presenceWords(presence)}</p>
}

function presenceWords(presence: NonNullable<ReturnType<typeof usePresence>>): string {
  if (presence.isOnline) return 'Online'
  const { lastSeenAt } = presence
  if (!lastSeenAt) return 'Not online'
  return `Last seen ${lastSeenAt.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}`
}
