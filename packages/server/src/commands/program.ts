import { BusError } from '../bus/bus-error.ts'
import { SettingsError } from '../environment.ts'
import { UnknownRecord } from '../relations/unknown-record.ts'
import { DataFolderError } from '../store/level/folder-error.ts'
import { DatabaseError } from '../store/postgres/database-error.ts'
import { ConnectionError } from './import/connection-error.ts'

const expected = [SettingsError, DataFolderError, DatabaseError, BusError, ConnectionError, UnknownRecord]

/**
 * Runs a command line to its end, and sets the process's exit code to the returned one. If the command fails, the error is
 * printed to the standard error, and the process exits immediately, with 2 for a wrong setting and 1 for all other errors.
 * Otherwise an open connection would keep the process alive, and a supervisor would wait for its end before a restart.
 *
 * @param name - The name of the program, for its messages.
 * @param main - The program: resolves to its exit code.
 * @returns Resolves when the command has succeeded. Never rejects: after an error the process exits.
 */
export async function runProgram(name: string, main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main()
  } catch (error) {
    const isExpected = expected.some(known => error instanceof known)
    const what = error instanceof Error ? (isExpected ? error.message : error.stack) : String(error)
    process.stderr.write(`${name}: ${what}\n`)
    process.exit(error instanceof SettingsError ? 2 : 1)
  }
}
