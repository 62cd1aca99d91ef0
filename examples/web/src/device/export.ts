import type { Contact } from '@kith/client'
import { nameOf } from './contact-names.ts'

/** Saves the contacts as a vCard file. */
export function downloadContacts(title: string, contacts: readonly Contact[]): void {
  const url = URL.createObjectURL(new Blob(contacts.map(vCard), { type: 'text/vcard' }))
  const link = document.createElement('a')
  Object.assign(link, { href: url, download: `${title}.vcf` })
  document.body.append(link)
  link.click()
  link.remove()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** By name of a field: its property (RFC 6350, 6). */
const properties: Readonly<Record<string, string>> = {
  phone: 'TEL',
  email: 'EMAIL',
  about: 'NOTE',
  web: 'URL',
}

/** One contact as vCard 4.0 (RFC 6350); the user id as `UID`, and also as number or e-mail address if it is one. */
function vCard(contact: Contact): string {
  const { id, fields } = contact
  const address = id.startsWith('+') ? [['TEL', id]] : id.includes('@') ? [['EMAIL', id]] : []
  const values = Object.entries(fields).flatMap(([name, value]) => {
    const property = properties[name]
    return property !== undefined && typeof value === 'string' ? [[property, value]] : []
  })
  const lines = [['FN', nameOf(contact)], ['UID', id], ...address, ...values]
  const text = lines.map(([name, value = '']) => folded(`${name}:${escaped(value)}`))
  return ['BEGIN:VCARD', 'VERSION:4.0', ...text, 'END:VCARD', ''].join('\r\n')
}

function escaped(text: string): string {
  return text.replace(/[\\,;]/g, '\\$&').replace(/\r\n|\r|\n/g, '\\n')
}

/** A line has at most 75 bytes; longer ones continue in the next line, after a space (RFC 6350, 3.2). */
function folded(line: string): string {
  let text = ''
  let size = 0
  for (const character of line) {
    const bytes = new TextEncoder().encode(character).length
    if (size + bytes > 74) {
      text += '\r\n '
      size = 1
    }
    text += character
    size += bytes
  }
  return text
}
