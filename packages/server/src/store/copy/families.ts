import { parseOrdered, partsOf } from '../level/keys.ts'
import {
  decodeAsked,
  decodeEvent,
  decodeLevel,
  decodeNumber,
  decodeRelation,
  decodeUser,
} from '../level/record-codec.ts'
import { documentNumbers, encodeEventBody, encodeRelation, encodeUser } from '../postgres/codec.ts'

/** An entry of a data folder. */
export interface Entry {
  key: string
  bytes: Uint8Array
  /** For a part of a document: the position of its row. */
  position: number
}

interface Column {
  name: string
  /** The type of the column's values in a list. */
  type: string
  /** The type to which the values are cast, if a list cannot hold the column's type. */
  cast?: string
}

/** One family of keys of a data folder, and its table. */
export interface Family {
  table: string
  /** The columns of the primary key come first. */
  columns: readonly Column[]
  keyColumns: number
  rowOf(parts: readonly string[], entry: Entry): unknown[]
}

const text = (name: string): Column => ({ name, type: 'text' })
const bigint = (name: string): Column => ({ name, type: 'bigint' })
const smallint = (name: string): Column => ({ name, type: 'smallint' })
const bytea = (name: string): Column => ({ name, type: 'bytea' })

/** By the first part of their keys. Other keys belong to the folder itself, or are not needed after a copy. */
export const families: Readonly<Record<string, Family>> = {
  user: {
    table: 'users',
    columns: [text('id'), bigint('registered_at'), { name: 'levels', type: 'text', cast: 'bigint[]' }, text('record')],
    keyColumns: 1,
    rowOf([, id], { bytes }) {
      const user = encodeUser(decodeUser(bytes))
      return [id, user.registered_at, `{${user.levels.join(',')}}`, user.record]
    },
  },
  relation: {
    table: 'relation',
    columns: [text('a'), text('b'), bigint('changed_at'), bigint('joined_at'), bytea('record')],
    keyColumns: 2,
    rowOf([, a, b], { bytes }) {
      const relation = decodeRelation(bytes)
      return [a, b, relation.changedAt, relation.joinedAt, Buffer.from(encodeRelation(relation))]
    },
  },
  level: {
    table: 'level',
    columns: [text('owner'), smallint('level'), bigint('position'), bytea('fields')],
    keyColumns: 2,
    rowOf([, owner, level = ''], { bytes }) {
      const { position, fields } = decodeLevel(bytes)
      return [owner, parseOrdered(level), position, Buffer.from(fields)]
    },
  },
  asked: {
    table: 'asked',
    columns: [text('viewer'), text('id'), { name: 'day', type: 'int' }],
    keyColumns: 2,
    rowOf: ([, viewer, id], { bytes }) => [viewer, id, decodeAsked(bytes)],
  },
  document: {
    table: 'document',
    columns: [text('id'), smallint('name'), bigint('position'), bytea('update')],
    keyColumns: 3,
    rowOf: ([, id, name], { bytes, position }) => [
      id,
      documentNumbers[name as keyof typeof documentNumbers],
      position,
      Buffer.from(bytes),
    ],
  },
  erased: {
    table: 'account',
    columns: [text('id'), { name: 'erasures', type: 'int' }],
    keyColumns: 1,
    rowOf: ([, id], { bytes }) => [id, decodeNumber(bytes)],
  },
  tokens: {
    table: 'account',
    columns: [text('id'), bigint('revoked_at_ms')],
    keyColumns: 1,
    rowOf: ([, id], { bytes }) => [id, decodeNumber(bytes)],
  },
  outbox: {
    table: 'event',
    columns: [
      bigint('position'),
      { name: 'index', type: 'int' },
      text('line'),
      text('other'),
      { name: 'is_dead', type: 'boolean' },
      text('body'),
    ],
    keyColumns: 2,
    rowOf([, , position = '', index = ''], { bytes }) {
      const event = decodeEvent(bytes)
      const { line, other = '', failed } = event
      return [parseOrdered(position), parseOrdered(index), line, other, failed !== undefined, encodeEventBody(event)]
    },
  },
  day: {
    table: 'day',
    columns: [bigint('start_ms'), bigint('position')],
    keyColumns: 1,
    rowOf: ([, start = ''], { bytes }) => [parseOrdered(start), decodeNumber(bytes)],
  },
}

/** Returns the family of a key, or `undefined` if the key is not copied. */
export function familyOf(key: string): Family | undefined {
  const [name = '', kind] = partsOf(key)
  // The index records of an event follow from its record.
  if (name === 'outbox' && kind !== 'event') return undefined
  return Object.hasOwn(families, name) ? families[name] : undefined
}

const names = ({ columns }: Family): string => columns.map(({ name }) => name).join(', ')

function lists({ columns }: Family): string {
  const values = columns.map(({ type }, index) => `$${index + 1}::${type}[]`)
  return `unnest(${values.join(', ')}) as w (${columns.map(({ name }) => name).join(', ')})`
}

const valueIn = ({ name, cast }: Column): string => (cast ? `w.${name}::${cast}` : `w.${name}`)

/** Writes rows, and overwrites existing ones, because an interrupted copy may have written them. */
export function insertOf(family: Family): string {
  const { table, columns, keyColumns } = family
  const keys = columns.slice(0, keyColumns).map(({ name }) => name)
  const rest = columns.slice(keyColumns).map(({ name }) => `${name} = excluded.${name}`)
  const onConflict = rest.length === 0 ? 'do nothing' : `do update set ${rest.join(', ')}`
  return `insert into ${table} (${names(family)}) select ${columns.map(valueIn).join(', ')} from ${lists(family)}
    on conflict (${keys.join(', ')}) ${onConflict}`
}

/** Counts the rows of the table that match exactly. */
export function matchesOf(family: Family): string {
  const same = family.columns.map(column => `t.${column.name} = ${valueIn(column)}`)
  return `select count(*) as count from ${lists(family)} join ${family.table} t on ${same.join(' and ')}`
}

/** Returns a list of values for each column, as parameters of the statements. */
export function listsOf(family: Family, entries: readonly Entry[]): unknown[][] {
  const rows = entries.map(entry => family.rowOf(partsOf(entry.key), entry))
  return family.columns.map((_, index) => rows.map(row => row[index]))
}
