/** The properties that make an entry. */
const kept = ['FN', 'N', 'NICKNAME', 'ORG', 'TEL', 'EMAIL'] as const

export type KeptName = (typeof kept)[number]

export function isKept(name: string): name is KeptName {
  return (kept as readonly string[]).includes(name)
}
