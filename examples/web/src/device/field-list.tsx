import type { Fields, FieldValue } from '@kith/client'
import type { ReactNode } from 'react'
import { TheirWords } from './their-words.tsx'

/** Fields by name, in the order of the alphabet. The picture stands elsewhere. */
export function FieldList({ fields }: { fields: Fields }): ReactNode {
  const names = Object.keys(fields)
    .filter(name => name !== 'picture')
    .sort()
  return (
    <dl className="field-list">
      {names.map(name => (
        <div key={name}>
          <dt>
            <TheirWords>{name}</TheirWords>
          </dt>
          <dd>
            <TheirWords>{valueWords(fields[name])}</TheirWords>
          </dd>
        </div>
      ))}
    </dl>
  )
}

export function valueWords(value: FieldValue | undefined): string {
  if (value instanceof Uint8Array) return `${value.length.toLocaleString()} bytes`
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return String(value ?? '')
}
