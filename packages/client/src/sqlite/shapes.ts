/** A table: its name, and the properties of its rows that are its key and its index. */
export interface Shape {
  readonly name: string
  readonly key: string
  /** Whether rows without a key get a number. */
  readonly isNumbered?: true
  readonly index?: string
}

/** As in `database/schema.ts`. */
export const deviceShapes: Record<'updates' | 'snapshots' | 'outbox' | 'replicas' | 'people' | 'meta', Shape> = {
  updates: { name: 'updates', key: 'seq', isNumbered: true },
  snapshots: { name: 'snapshots', key: 'document' },
  outbox: { name: 'outbox', key: 'seq', isNumbered: true },
  replicas: { name: 'replicas', key: 'owner', index: 'isFetched' },
  people: { name: 'people', key: 'id', index: 'isListed' },
  meta: { name: 'meta', key: 'key' },
}

export const registerShapes: Record<'visits' | 'erased', Shape> = {
  visits: { name: 'visits', key: 'url' },
  erased: { name: 'erased', key: 'writer' },
}

/** The statements that create the tables of a new file: a key, a column for the index, and the rest of the row as bytes. */
export function statementsFor(shapes: readonly Shape[]): string[] {
  return [
    'CREATE TABLE numbers (name TEXT PRIMARY KEY NOT NULL, last INTEGER NOT NULL)',
    ...shapes.flatMap(({ name, index, isNumbered }) => [
      `CREATE TABLE ${name} (key ${isNumbered ? 'NUMERIC' : 'TEXT'} PRIMARY KEY NOT NULL, indexed INTEGER, row BLOB NOT NULL)`,
      ...(index ? [`CREATE INDEX ${name}_indexed ON ${name} (indexed)`] : []),
      ...(isNumbered ? [`INSERT INTO numbers VALUES ('${name}', 0)`] : []),
    ]),
  ]
}
