import { DataFolderError } from '../folder-error.ts'

/** Runs `work`. Rejects with a {@link DataFolderError} that begins with `what` if the system refuses to read or write a file. */
export async function orExplain<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    const advice = 'check that these are folders that this user can read and write, with free space'
    throw new DataFolderError(`${what} (${error.message}): ${advice}`, { cause: error })
  }
}
