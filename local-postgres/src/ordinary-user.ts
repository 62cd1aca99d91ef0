import { execFileSync } from 'node:child_process'

/** What a process runs as. */
export interface User {
  uid: number
  gid: number
}

let found: User | undefined

/** PostgreSQL does not run as root: then it runs as the user that its package made, or as nobody. */
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
      // There is no such user.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody')
}
