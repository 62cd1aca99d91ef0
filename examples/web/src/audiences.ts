/** What this demo messenger calls the levels of a profile; an app chooses its own. */
export interface AudienceName {
  level: number
  name: string
}

export const audiences: readonly AudienceName[] = [
  { level: 0, name: 'Public' },
  { level: 1, name: 'Friends' },
  { level: 2, name: 'Family' },
  { level: 5, name: 'Work' },
]

/** As in “Friends (level 1)”. */
export function audienceName(level: number): string {
  const name = audiences.find(audience => audience.level === level)?.name
  return name ? `${name} (level ${level})` : `Level ${level}`
}
