import { readFileSync } from 'node:fs'

/** The settings of the allocator that OPERATIONS.md gives for a service: the server is measured as it is to be run. */
export function allocatorSettings(): Record<string, string> {
  const text = readFileSync(new URL('../../../docs/OPERATIONS.md', import.meta.url), 'utf8')
  const settings = Object.fromEntries(
    [...text.matchAll(/^Environment=(MALLOC_\w+)=(\d+)$/gm)].map(([, name, value]) => [name, value]),
  )
  if (Object.keys(settings).length === 0) throw new Error('OPERATIONS.md gives no settings of the allocator')
  return settings
}
