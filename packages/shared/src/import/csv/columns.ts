/** The content of a column of a phone book. `undefined` for content that is not read, such as addresses and notes. */
export type ColumnKind =
  | 'phone'
  | 'email'
  | 'name'
  | 'prefix'
  | 'given'
  | 'middle'
  | 'family'
  | 'suffix'
  | 'nickname'
  | 'shown'
  | 'company'
  | undefined

/** The columns of Google's old and new layout, of Outlook in English, and of other programs with similar names. */
export function columnKind(header: string): ColumnKind {
  const name = header
    .toLowerCase()
    .replace(/[\s_.\-–:()*'"]+/g, ' ')
    .trim()
  const known = kinds.get(name)
  if (known) return known
  if (/\b(?:type|label|provider|yomi|phonetic|display|name|service|protocol)\b/.test(name)) return undefined
  if (/\be ?mails?\b/.test(name)) return 'email'
  return /\b(?:phones?|telephone|mobile|cell|cellphone|fax|pager|callback|isdn|tel)\b/.test(name) ? 'phone' : undefined
}

const kinds = new Map<string, ColumnKind>(
  Object.entries({
    name: ['name', 'full name', 'fullname', 'fn', 'display name', 'contact name', 'contact'],
    prefix: ['name prefix', 'prefix', 'title', 'honorific prefix'],
    given: ['given name', 'first name', 'firstname', 'forename'],
    middle: ['additional name', 'middle name', 'middlename'],
    family: ['family name', 'last name', 'lastname', 'surname'],
    suffix: ['name suffix', 'suffix', 'honorific suffix'],
    nickname: ['nickname', 'nick name', 'short name', 'alias'],
    shown: ['file as', 'e mail display name'],
    company: ['company', 'company name', 'organization', 'organisation', 'organization name', 'organization 1 name'],
    phone: ['number', 'numbers', 'phone no', 'mobile no'],
    email: ['mail', 'mail address'],
  }).flatMap(([kind, names]) => names.map(name => [name, kind as ColumnKind])),
)

/** The number of known columns of a header. */
export function knownColumns(headers: readonly string[]): number {
  return headers.filter(header => columnKind(header) !== undefined).length
}
