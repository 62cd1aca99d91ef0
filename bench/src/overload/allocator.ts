import { readFileSync } from 'node:fs'

/** The settings of the allocator in the unit for systemd: the server is measured as it is to be run. */
export function allocatorSettings(): Record<string, string> {
  const text = readFileSync(new URL('../../../deploy/kith.service', import.meta.url), 'utf8')
  const settings = Object.fromEntries(
    [...text.matchAll(/^Environment=(MALLOC_\w+)=(\d+)$/gm)].map(([, name, value]) => [name, value]),
  )
  if (Object.keys(settings).length === 0) throw new Error('deploy/kith.service has no settings of the allocator')
  return settings
}
