import type { ContactFacts } from '@kith/shared'
import { sameItems } from '../same-items.ts'

export function sameFacts(a: ContactFacts, b: ContactFacts): boolean {
  return (
    a.isContact === b.isContact &&
    a.isSubscribed === b.isSubscribed &&
    a.isDeclined === b.isDeclined &&
    a.isBlocked === b.isBlocked &&
    sameItems(a.levels, b.levels) &&
    sameItems(a.confirmed, b.confirmed)
  )
}
