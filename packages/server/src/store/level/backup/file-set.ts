import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readLog } from '../files/log-file.ts'
import { readVersion, type Table } from '../files/manifest.ts'

/** The files that make up a database at one moment. */
export interface FileSet {
  manifest: string
  /** The manifest up to its last complete record. */
  manifestBytes: Uint8Array
  tables: readonly Table[]
  /** In the order in which they are read. */
  logs: readonly string[]
}

/**
 * Reads which files make up the database in a folder that a server may have open. Rejects if the files change meanwhile, for
 * example between two system calls, and if there is no database.
 */
export async function readFileSet(store: string): Promise<FileSet> {
  const manifest = (await readFile(join(store, 'CURRENT'), 'latin1')).trim()
  if (!/^MANIFEST-\d+$/.test(manifest)) throw new RangeError('CURRENT names no manifest')
  const manifestBytes = wholeRecordsOf(await readFile(join(store, manifest)))
  const records = [...readLog(manifestBytes)].map(entry => {
    if (entry.state !== 'whole') throw new RangeError(`${manifest} is damaged at byte ${entry.at}`)
    return entry.bytes
  })
  const { logNumber, tables } = readVersion(records)
  const names = await readdir(store)
  const logs = names.filter(name => name.endsWith('.log') && Number.parseInt(name, 10) >= logNumber).sort()
  return { manifest, manifestBytes, tables: [...tables.values()], logs }
}

/** Whether nothing changed between two reads except the ends of the logs. */
export function isSameFileSet(a: FileSet, b: FileSet): boolean {
  return (
    a.manifest === b.manifest && a.manifestBytes.length === b.manifestBytes.length && a.logs.join() === b.logs.join()
  )
}

/** A record that is being written is not complete yet. */
function wholeRecordsOf(file: Uint8Array): Uint8Array {
  for (const entry of readLog(file)) if (entry.state === 'torn') return file.subarray(0, entry.at)
  return file
}
