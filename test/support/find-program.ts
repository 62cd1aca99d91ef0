import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/** Returns the path of an installed program, also in folders that only root searches; `undefined` if it is not installed. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']) {
    const program = join(folder, name)
    const isThere = await access(program).then(
      () => true,
      () => false,
    )
    if (isThere) return program
  }
  return undefined
}
