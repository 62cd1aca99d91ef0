import { BusError } from '../bus/bus-error.ts'
import { SettingsError } from '../environment.ts'
import { UnknownRecord } from '../relations/unknown-record.ts'
import { DataFolderError } from '../store/level/folder-error.ts'
import { DatabaseError } from '../store/postgres/database-error.ts'
import { ConnectionError } from './import/connection-error.ts'

const expected = [SettingsError, DataFolderError, DatabaseError, BusError, ConnectionError, UnknownRecord]

/**
 * Runs a command line to its end, and sets the process's exit code to the one that comes back. When the command fails, what is
 * wrong is said on the standard error, and the process ends at once, with 2 for a wrong setting and 1 for all else: a connection
 * that is left open would keep it alive, and whoever restarts it would wait for its end.
 *
 * @param name - The name of the program, for its messages.
 * @param main - The program: resolves to its exit code.
 * @returns Resolves when the command has ended well. Never rejects: after an error the process ends.
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
