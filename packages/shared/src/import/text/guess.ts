import type { Effort } from '../effort.ts'
import { decoderOf } from './charset.ts'

// Guesses the character set of a text that is not UTF-8 and has no label, as old phones and Outlook write it. Each candidate
// gets points for the text that it decodes, by what names look like: words of one script, capitals at their start, letters that
// are frequent in the languages of that character set. The most points win; if all have the same, it is Windows-1252.

export interface Hints {
  /** A language tag from the file, such as `cs` or `de-AT`. */
  language?: string | undefined
  /** The character set of the earlier text in the same file. */
  previous?: string | undefined
}

interface Candidate {
  label: string
  languages: readonly string[]
  /** Frequent letters beyond ASCII. */
  frequent: ReadonlySet<string>
}

const candidates: readonly Candidate[] = [
  candidate('windows-1252', 'de fr es pt it nl da sv no nb fi is', 'äöüßéèêëàâçñáíóúãõôîïûùåøæÄÖÜÉÅØÆ'),
  candidate('windows-1250', 'pl cs sk hu hr sl ro bs', 'ąćęłńóśźżáčďéěíňřšťúůýžőűăâîșțŁŚŻČŘŠŽäöüß'),
  candidate('windows-1251', 'ru uk be bg sr mk', 'оеаинтсрвлкмдпугязбчйіїє'),
  candidate('windows-1253', 'el', 'αοιετσνηυρπκμλςάίόέήύώγδωθφχ'),
  candidate('windows-1254', 'tr az', 'ğışçöüĞİŞÇÖÜ'),
  candidate('windows-1255', 'he', 'יוהלאתרבשמנעדםןחכפק'),
  candidate('windows-1256', 'ar fa ur', 'اليمونترسعبدفقحكهجة'),
]

function candidate(label: string, languages: string, frequent: string): Candidate {
  return { label, languages: languages.split(' '), frequent: new Set(frequent) }
}

/** Returns the label of the most likely character set. `bytes` is the whole text, or enough of it. */
export function guessCharset(bytes: Uint8Array, { language, previous }: Hints, effort: Effort): string {
  effort.visited += bytes.length * (candidates.length + 1)
  const own = language?.toLowerCase().split('-')[0] ?? ''
  let best = 'windows-1252'
  let most = Number.NEGATIVE_INFINITY
  const consider = (label: string, points: number): void => {
    const all = points + (label === previous ? previousPoints : 0)
    if (all <= most) return
    best = label
    most = all
  }
  for (const { label, languages, frequent } of candidates) {
    const text = decoderOf(label)?.decode(bytes)
    if (text !== undefined) consider(label, pointsOf(text, frequent) + (languages.includes(own) ? languagePoints : 0))
  }
  if (decoderOf('shift_jis')) consider('shift_jis', shiftJisPoints(bytes) + (own === 'ja' ? languagePoints : 0))
  return best
}

const previousPoints = 3
const languagePoints = 3

function pointsOf(text: string, frequent: ReadonlySet<string>): number {
  let points = -3 * (text.match(unlikelyPairs)?.length ?? 0)
  let before = ''
  for (const character of text) {
    if (character > '\x7f') points += characterPoints(character, before, frequent)
    else if (isLetter(character) && before > '\x7f' && isLetter(before) && !latin.test(before)) points -= 3
    before = character
  }
  return points
}

/** Czech ř and Hungarian ő in Windows-1250, read as Windows-1252: `Jiøí`, `Jenõ`. */
const unlikelyPairs = /ø[áéíúý]|[áéíúý]ø|õ(?!\p{L})/gu

function characterPoints(character: string, before: string, frequent: ReadonlySet<string>): number {
  // The result of a decoder for bytes without a character.
  if (/[\ufffd\x80-\x9f]/.test(character)) return -8
  if (!isLetter(character)) {
    if (/[\p{M}\u00a0\u00ab\u00bb\u2013-\u2026]/u.test(character)) return 0
    return isLetter(before) ? -2 : -0.5
  }
  const isLatin = latin.test(character)
  const isFirst = !isLetter(before)
  const isUpper = character !== character.toLowerCase()
  let points = frequent.has(character) ? 2 : 0.5
  if (!isFirst && latin.test(before) !== isLatin) points -= 3
  if (isLatin && !isFirst && before > '\x7f') points -= 1
  if (!isLatin && isFirst && !isUpper && character !== character.toUpperCase()) points -= 1
  if (isUpper && !isFirst && before !== before.toUpperCase()) points -= 2
  return points
}

const latin = /\p{Script=Latin}/u

function isLetter(character: string): boolean {
  return /\p{L}/u.test(character)
}

/** Kana and the frequent half of kanji have lead bytes of 0x81 to 0x98, which are rarely letters elsewhere. */
function shiftJisPoints(bytes: Uint8Array): number {
  let points = 0
  for (let index = 0; index < bytes.length; index++) {
    const lead = bytes[index] ?? 0
    if (lead < 0x80) continue
    if (lead >= 0xa1 && lead <= 0xdf) {
      points -= 0.25 // Half-width katakana.
      continue
    }
    const trail = bytes[++index] ?? 0
    const isPair = lead !== 0x80 && lead !== 0xa0 && lead <= 0xfc && trail >= 0x40 && trail !== 0x7f && trail <= 0xfc
    if (!isPair) return Number.NEGATIVE_INFINITY
    points += lead === 0x82 || lead === 0x83 ? 5 : lead <= 0x98 ? 3.5 : -1
  }
  return points
}
