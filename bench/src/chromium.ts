import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

/** Names of Chromium programs, in the order in which they are looked for. */
const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

const flags =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'

/** The first Chromium in the `PATH`; `undefined` when there is none. */
export function findChromium(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return names.flatMap(name => folders.map(folder => join(folder, name))).find(isProgram)
}

/** Starts a real browser without a window. It sends no network requests of its own. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium()
  if (!executablePath) throw new Error(`This needs a Chromium: none of ${names.join(', ')} is in the PATH.`)
  return chromium.launch({ executablePath, args: flags.split(' ') })
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
