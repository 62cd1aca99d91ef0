import { type ContactEntry, Diagnoses, diagnoseGaps } from '../entry.ts'
import { onOneLine } from '../text/one-line.ts'
import { type ColumnKind, columnKind } from './columns.ts'

/** Returns the entry of the fields of a row, without its index. */
export function entryOfRow(
  fields: readonly string[],
  kinds: readonly ColumnKind[],
  line: number,
  reasons: readonly string[],
): Omit<ContactEntry, 'index'> {
  const diagnoses = new Diagnoses()
  for (const reason of reasons) diagnoses.add(line, reason)
  if (fields.length > kinds.length && kinds.some(Boolean))
    diagnoses.add(line, 'The row has more fields than the header')
  const all = (kind: ColumnKind): string[] =>
    fields
      .filter((_, index) => kinds[index] === kind)
      .map(onOneLine)
      .filter(field => field !== '')
  const name = nameOf(all, reason => diagnoses.add(line, reason))
  const entry = {
    ...{ line, ...(name !== undefined && { name }) },
    phoneNumbers: all('phone').flatMap(splitValues),
    emails: all('email').flatMap(splitValues),
  }
  diagnoseGaps(entry, diagnoses)
  return { ...entry, diagnoses: diagnoses.sorted }
}

/** Google joins several values of one kind: `+44 20 7946 0123 ::: +44 20 7946 0124`. */
function splitValues(field: string): string[] {
  return field
    .split(':::')
    .map(value => value.trim())
    .filter(value => value !== '')
}

function nameOf(all: (kind: ColumnKind) => string[], diagnose: (reason: string) => void): string | undefined {
  const parts = (['prefix', 'given', 'middle', 'family', 'suffix'] as const).flatMap(all)
  const hasName = (['given', 'middle', 'family'] as const).some(kind => all(kind).length > 0)
  const written = all('name')[0] ?? (hasName ? parts.join(' ') : undefined)
  if (written !== undefined) return written
  for (const [kind, what] of [
    ['nickname', 'the nickname'],
    ['shown', 'the one that the entry is filed under'],
    ['company', 'that of the company'],
  ] as const) {
    const [name] = all(kind)
    if (name === undefined) continue
    diagnose(`There is no name of a person, so the name is ${what}`)
    return name
  }
  return undefined
}

export function kindsOf(headers: readonly string[]): ColumnKind[] {
  return headers.map(columnKind)
}
