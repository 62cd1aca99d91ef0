import { execFileSync } from 'node:child_process'

/** The user and the group as which a process runs. */
export interface User {
  uid: number
  gid: number
}

let found: User | undefined

/** PostgreSQL refuses to run as root. For root, returns the user that its package created, or nobody. */
export function ordinaryUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  found ??= search()
  return found
}

function search(): User {
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (option: string): number => Number(execFileSync('id', [option, name], { stdio: 'pipe' }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      // This user does not exist.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody')
}
