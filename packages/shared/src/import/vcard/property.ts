/** A property of a card: `item1.TEL;TYPE=CELL:+44 20 7946 0123`. All texts have one character per byte. */
export interface Property {
  /** In capitals, without its group. */
  name: string
  /** As written: neither decoded nor unescaped. */
  value: string
  encoding: 'quoted-printable' | 'base64' | undefined
  charset: string | undefined
  language: string | undefined
}

/** Reads the first line of a property. Returns `undefined` when it has no colon, and so is not a property. */
export function parseProperty(line: string): Property | undefined {
  const colon = valueColon(line)
  if (colon < 0) return undefined
  const head = line.slice(0, colon)
  const [name = '', ...parameters] = head.includes('"') ? splitUnquoted(head) : head.split(';')
  const property: Property = {
    name: name
      .slice(name.lastIndexOf('.') + 1)
      .replace(byteOrderMark, '')
      .trim()
      .toUpperCase(),
    value: line.slice(colon + 1),
    encoding: undefined,
    charset: undefined,
    language: undefined,
  }
  for (const parameter of parameters) readParameter(property, parameter)
  return property
}

/** Concatenated files have one before each card. */
const byteOrderMark = /^\xef\xbb\xbf/

function readParameter(property: Property, parameter: string): void {
  const equals = parameter.indexOf('=')
  const key = parameter.slice(0, Math.max(equals, 0)).trim().toUpperCase()
  const value = parameter
    .slice(equals + 1)
    .trim()
    .replace(/^"(.*)"$/, '$1')
  // vCard 2.1 has bare values: `TEL;CELL;QUOTED-PRINTABLE:`.
  if (key === 'ENCODING' || key === '') property.encoding ??= encodingOf(value)
  else if (key === 'CHARSET') property.charset = value
  else if (key === 'LANGUAGE') property.language = value
}

function encodingOf(value: string): Property['encoding'] {
  if (/^(?:quoted-printable|qp?)$/i.test(value)) return 'quoted-printable'
  return /^(?:base64|b)$/i.test(value) ? 'base64' : undefined
}

/** The colon before the value: the first one outside quotes, or the first at all when a quote is not closed. */
function valueColon(line: string): number {
  const first = line.indexOf(':')
  const quote = line.indexOf('"')
  if (quote < 0 || quote > first) return first
  let isQuoted = false
  for (let index = quote; index < line.length; index++) {
    if (line[index] === '"') isQuoted = !isQuoted
    else if (line[index] === ':' && !isQuoted) return index
  }
  return first
}

function splitUnquoted(head: string): string[] {
  const parts: string[] = []
  let from = 0
  let isQuoted = false
  for (let index = 0; index < head.length; index++) {
    if (head[index] === '"') isQuoted = !isQuoted
    else if (head[index] === ';' && !isQuoted) {
      parts.push(head.slice(from, index))
      from = index + 1
    }
  }
  return [...parts, head.slice(from)]
}

/** Whether a line is certainly the first of a property, and not the rest of a text. */
export function looksLikeProperty(line: string): boolean {
  return /^(?:[\w-]+\.)?(?:BEGIN|END|VERSION|PRODID|UID|REV|FN|N|NICKNAME|ORG|TEL|EMAIL|ADR|LABEL|URL|TITLE|ROLE|NOTE|PHOTO|LOGO|SOUND|KEY|AGENT|BDAY|TZ|GEO|CATEGORIES|IMPP|X-[\w-]+)[;:]/i.test(
    line.slice(0, 100),
  )
}
