import type { UserRecord } from './records.ts'

/**
 * The parts of a user's record that change often, by a profile edit or a disconnection, and that are not read when another
 * user's change is derived. A change that was derived while they were written is still valid.
 */
const news: ReadonlySet<string> = new Set<keyof UserRecord>(['levels', 'lastSeenMinute'])

export function isNews(change: Partial<UserRecord>): boolean {
  return Object.keys(change).every(name => news.has(name))
}
