import { readFile, rename, writeFile } from 'node:fs/promises'
import type { ImportRecord } from '@kith/shared/import'
import { SettingsError } from '../../environment.ts'

/**
 * Returns the content of the last import, from a file that the operator names. Returns an empty record if there is no such
 * file.
 */
export async function readRecordFile(file: string | undefined, user: string): Promise<ImportRecord> {
  if (file === undefined) return new Map()
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new SettingsError(`--record ${file} cannot be read: ${error.message}`)
  })
  if (text === undefined) return new Map()
  const { user: of, contacts } = parsed(text) ?? {}
  if (typeof contacts !== 'object' || contacts === null) {
    throw new SettingsError(`--record ${file} is no record of an import: name another file`)
  }
  if (of !== user) throw new SettingsError(`--record ${file} is of another user, ${of}: use one file for each user`)
  return new Map(Object.entries(contacts).map(([address, label]) => [address, String(label)]))
}

/** Replaces the file in one step. Only its owner can read it. */
export async function writeRecordFile(file: string | undefined, user: string, record: ImportRecord): Promise<void> {
  if (file === undefined) return
  await writeFile(`${file}.new`, JSON.stringify({ user, contacts: Object.fromEntries(record) }), { mode: 0o600 })
  await rename(`${file}.new`, file)
}

function parsed(text: string): { user?: string; contacts?: unknown } | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
