import type { UserRecord } from './records.ts'

/**
 * What changes often of a user's record, by a profile edit or a going, and that nothing looks at which is derived for another
 * user's change. A change that was derived while it was written holds all the same.
 */
const news: ReadonlySet<string> = new Set<keyof UserRecord>(['levels', 'lastSeenMinute'])

export function isNews(change: Partial<UserRecord>): boolean {
  return Object.keys(change).every(name => news.has(name))
}
