import * as decoding from 'lib0/decoding'

/** A table that belongs to the database, according to its manifest. */
export interface Table {
  number: number
  bytes: number
  /** The first and the last key in it, with the 8 bytes that LevelDB adds to each. */
  smallest: Uint8Array
  largest: Uint8Array
}

/** The files that belong to the database: the sum of a manifest's records. */
export interface Version {
  /** Logs with this number or a higher one are not in the tables yet. 0: there was none. */
  logNumber: number
  /** The sequence number of the last operation when the manifest was last written. */
  lastSequence: number
  tables: ReadonlyMap<number, Table>
}

/** Reads the records of a manifest (LevelDB's `db/version_edit.cc`). Throws a RangeError if they are incomplete. */
export function readVersion(records: Iterable<Uint8Array>): Version {
  const tables = new Map<number, Table>()
  let logNumber: number | undefined
  let lastSequence: number | undefined
  for (const record of records) {
    const decoder = decoding.createDecoder(record)
    const number = (): number => decoding.readVarUint(decoder)
    const bytes = (): Uint8Array => decoding.readVarUint8Array(decoder)
    while (decoding.hasContent(decoder)) {
      const tag = number()
      if (tag === 1) bytes()
      else if (tag === 2) logNumber = number()
      else if (tag === 3 || tag === 9) number()
      else if (tag === 4) lastSequence = number()
      else if (tag === 5) [number(), bytes()]
      else if (tag === 6) tables.delete([number(), number()][1] as number)
      else if (tag === 7) {
        number()
        const table = { number: number(), bytes: number(), smallest: bytes(), largest: bytes() }
        tables.set(table.number, table)
      } else throw new RangeError(`there is no tag ${tag}`)
    }
  }
  if (logNumber === undefined || lastSequence === undefined)
    throw new RangeError('it ends before it says what is in use')
  return { logNumber, lastSequence, tables }
}
