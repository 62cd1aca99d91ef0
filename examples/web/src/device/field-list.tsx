import type { Fields, FieldValue } from '@kith/client'
import type { ReactNode } from 'react'
import { locale, t } from '../texts/texts.ts'
import { TheirWords } from './their-words.tsx'

/** In the order in which people look for them; other fields follow in alphabetical order. */
const usualOrder = ['name', 'about', 'phone', 'email', 'birthday', 'home', 'work', 'web', 'city']

/** Fields with their names in the language of the page. The picture is shown elsewhere. */
export function FieldList({ fields }: { fields: Fields }): ReactNode {
  return (
    <dl className="field-list">
      {namesInOrder(Object.keys(fields)).map(name => (
        <div key={name}>
          <dt>
            <TheirWords>{fieldLabel(name)}</TheirWords>
          </dt>
          <dd>
            <TheirWords>{valueWords(fields[name])}</TheirWords>
          </dd>
        </div>
      ))}
    </dl>
  )
}

export function namesInOrder(names: Iterable<string>): string[] {
  const place = (name: string): number => (usualOrder.indexOf(name) + 100) % 100
  return [...names].filter(name => name !== 'picture').sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1))
}

export function fieldLabel(name: string): string {
  const labels: Readonly<Record<string, unknown>> = t.fields
  const label = usualOrder.includes(name) || name === 'picture' ? labels[name] : undefined
  return typeof label === 'string' ? label : name
}

export function valueWords(value: FieldValue | undefined): string {
  if (value instanceof Uint8Array) return t.fields.bytes(value.length)
  if (typeof value === 'boolean') return value ? t.fields.yes : t.fields.no
  return typeof value === 'number' ? value.toLocaleString(locale) : (value ?? '')
}
