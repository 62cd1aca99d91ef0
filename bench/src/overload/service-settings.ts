import { readFileSync } from 'node:fs'

/** Returns the environment that the systemd unit sets, so that the server is measured with its production settings. */
export function serviceSettings(): Record<string, string> {
  const text = readFileSync(new URL('../../../deploy/kith.service', import.meta.url), 'utf8')
  const settings = Object.fromEntries(
    [...text.matchAll(/^Environment="?(\w+)=([^"\n]*)"?$/gm)].map(([, name, value]) => [name, value]),
  )
  if (Object.keys(settings).length === 0) throw new Error('deploy/kith.service sets no environment')
  return settings
}
