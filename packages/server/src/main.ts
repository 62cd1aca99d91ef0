#!/usr/bin/env node
import { runCheck } from './commands/check.ts'
import { runCompact } from './commands/compact.ts'
import { runServe } from './commands/serve.ts'
import { runToken } from './commands/token.ts'
import { SettingsError } from './settings.ts'
import { DataFolderError } from './store/open.ts'

const usage = `Usage:
  kith-server serve   [--port 4180] [--host 127.0.0.1] [--data ./data] [--limits FILE]
  kith-server token   USER [--data ./data]
  kith-server check   [--data ./data]
  kith-server compact [--data ./data]
`

const commands = { serve: runServe, token: runToken, check: runCheck, compact: runCompact }

async function main([name, ...args]: string[]): Promise<number> {
  if (name === '--help' || name === 'help') {
    process.stdout.write(usage)
    return 0
  }
  if (name === undefined || !Object.hasOwn(commands, name)) {
    process.stderr.write(`${name === undefined ? 'Give a command.' : `There is no command ${name}.`}\n${usage}`)
    return 2
  }
  return commands[name as keyof typeof commands](args, process.env)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const isExpected = error instanceof SettingsError || error instanceof DataFolderError
  const what = error instanceof Error ? (isExpected ? error.message : error.stack) : String(error)
  process.stderr.write(`kith-server: ${what}\n`)
  process.exitCode = error instanceof SettingsError ? 2 : 1
}
