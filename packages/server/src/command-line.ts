import { runBackup } from './commands/backup.ts'
import { runCheck } from './commands/check.ts'
import { runCompact } from './commands/compact.ts'
import { runCopy } from './commands/copy.ts'
import { runMigrate } from './commands/migrate.ts'
import { runProgram } from './commands/program.ts'
import { runRestore } from './commands/restore.ts'
import { runServe } from './commands/serve.ts'
import { runToken } from './commands/token.ts'

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

With KITH_DATABASE_URL the server keeps its state in a PostgreSQL database, which other nodes share: run migrate first.
check and compact then look at the database, also while nodes use it; copy fills an empty one from a data folder.
backup copies a data folder into a new folder in DIR, also while a server uses it; restore makes a data folder of
one. Until a device of theirs has connected, users are shown to nobody then: what they took away since the backup is not in it.
With --trust they are shown as the backup has it.
import reads a phone book (vCard, or CSV of Google or Outlook) into the contacts of a user of a running server.
With --phone-numbers or --region its numbers become user ids in international form; --dry-run only says what would be.
What nodes say to each other goes over the database, or, with KITH_NATS_URL, over NATS.
`

const commands = {
  serve: runServe,
  token: runToken,
  check: runCheck,
  compact: runCompact,
  backup: runBackup,
  restore: runRestore,
  migrate: runMigrate,
  copy: runCopy,
  import: runImport,
}

/** Loaded only when it runs, because no other command reads phone books. */
async function runImport(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return (await import('./commands/import.ts')).runImport(args, env)
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
  return commands[name as keyof typeof commands](args, process.env)
}

/** Runs the command line of this process. */
export function runCommandLine(): Promise<void> {
  return runProgram('kith-server', () => main(process.argv.slice(2)))
}
