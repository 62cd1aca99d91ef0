import type { Fields, VisibilityReason } from '@kith/client'
import type { ReactNode } from 'react'
import { circleNames } from '../circles.ts'
import { isolated } from '../isolation.ts'
import { t } from '../texts/texts.ts'
import { FieldList } from './field-list.tsx'
import { Picture } from './picture.tsx'
import { TheirWords } from './their-words.tsx'

export interface ProfileCardProps {
  fields: Fields
  /** Who sees the profile, and why. */
  text: string
  reason: VisibilityReason
}

/** The own profile as another person sees it. */
export function ProfileCard({ fields, text, reason }: ProfileCardProps): ReactNode {
  const { name: ownName, ...others } = fields
  const name = typeof ownName === 'string' ? ownName : '?'
  return (
    <div className="profile-card" data-reason={reason} role="status">
      <p className="quiet">{text}</p>
      {Object.keys(fields).length > 0 && (
        <div className="person">
          <Picture name={name} bytes={fields['picture']} />
          <p>
            <TheirWords>{name}</TheirWords>
          </p>
        </div>
      )}
      <FieldList fields={others} />
    </div>
  )
}

export function reasonWords(name: string, reason: VisibilityReason, levels: readonly number[]): string {
  const { seen } = t
  const who = isolated(name)
  switch (reason) {
    case 'self':
      return seen.self
    case 'blocked':
      return seen.blocked(who)
    case 'not-granted':
      return seen.notGranted(who)
    case 'restricted':
      return seen.restricted(who)
    case 'unknown-user':
      return seen.unknown(who)
    case 'visible':
      return seen.visible(who, circleNames(levels))
  }
}
