import { runProgram } from './commands/program.ts'

const usage = `Usage:
  kith-server serve   [--port 4180] [--host 127.0.0.1] [--data ./data] [--limits FILE]
  kith-server token   USER [--data ./data]
  kith-server check   [--data ./data]
  kith-server compact [--data ./data]
  kith-server backup  DIR [--keep 7] [--data ./data]
  kith-server restore BACKUP [--trust] [--data ./data]
  kith-server migrate
  kith-server copy    [--data ./data]
  kith-server import  FILE --user USER [--region GB] [--levels 1,2] [--subscribe] [--dry-run] [--format vcard|csv]
                      [--record FILE [--remove-gone]] [--url ws://127.0.0.1:4180] [--data ./data]

With KITH_DATABASE_URL, the server keeps its state in a PostgreSQL database that several nodes share. Run migrate first.
check and compact then process that database, also while nodes use it. copy fills an empty database from a data folder.
The nodes send messages to each other through PostgreSQL, or through NATS if KITH_NATS_URL is set.

backup copies a data folder into a new folder in DIR, also while a server uses it. restore makes a data folder from a
backup. The backup lacks what users have withdrawn since. So nobody sees a user until one of the user's devices has
connected. With --trust, users are visible at once, as they were in the backup.

import reads a phone book (vCard, or CSV of Google or Outlook) into the contacts of a user of a running server. With
--phone-numbers or --region, its numbers become user ids in international form. --dry-run only reports the changes.
`

/** Only the command that runs is loaded. */
const commands = {
  serve: async () => (await import('./commands/serve.ts')).runServe,
  token: async () => (await import('./commands/token.ts')).runToken,
  check: async () => (await import('./commands/check.ts')).runCheck,
  compact: async () => (await import('./commands/compact.ts')).runCompact,
  backup: async () => (await import('./commands/backup.ts')).runBackup,
  restore: async () => (await import('./commands/restore.ts')).runRestore,
  migrate: async () => (await import('./commands/migrate.ts')).runMigrate,
  copy: async () => (await import('./commands/copy.ts')).runCopy,
  import: async () => (await import('./commands/import.ts')).runImport,
}

async function main([name, ...args]: string[]): Promise<number> {
  if (name === 'help' || [name, ...args].includes('--help')) {
    process.stdout.write(usage)
    return 0
  }
  if (name === undefined || !Object.hasOwn(commands, name)) {
    process.stderr.write(`${name === undefined ? 'Give a command.' : `There is no command ${name}.`}\n${usage}`)
    return 2
  }
  const run = await commands[name as keyof typeof commands]()
  return run(args, process.env)
}

/** Runs the command line of this process. */
export function runCommandLine(): Promise<void> {
  return runProgram('kith-server', () => main(process.argv.slice(2)))
}
