// The characters of a phone book entry. People and phones write one number in many ways; the readings get only digits, `+` and
// ASCII separators.

/**
 * Removes format characters, such as the bidi marks that phones put around a number, and words in brackets beside the number. A
 * right-to-left override stays: it shows digits in another order than they are read.
 */
export function withoutMarks(text: string): string {
  return text.replace(/(?!\u202e)\p{Cf}/gu, '')
}

/** Converts digits and separators of every script to ASCII, and all brackets to `()`; drops words in brackets and `tel:`. */
export function inPlainCharacters(text: string): string {
  return text
    .replace(/\p{Nd}/gu, digit => String(digitValue(digit)))
    .replace(/[\p{Pd}\u2212\u30fc]/gu, '-')
    .replace(/[\p{Zs}\p{Pc}]/gu, ' ')
    .replace(/[\p{Ps}<]/gu, '(')
    .replace(/[\p{Pe}>]/gu, ')')
    .replace(/[\uff0b\uff0e\uff0f]/g, fullWidth => String.fromCharCode(fullWidth.charCodeAt(0) - 0xfee0))
    .replace(wordInBrackets, ' ')
    .trim()
    .replace(/^tel: */i, '')
}

/** Contains at most one digit, as (mobile 2) and (omit 0) do, and no `+`: (UK +44) is part of the number. */
const wordInBrackets = /\((?=[^()]*[\p{L}\p{So}])[^()\d+]*\d?[^()\d+]*\)/gu

/** Removes an extension such as `x12`, `(ext. 12)` or `;ext=12`: the account is the line's. */
export function withoutExtension(text: string): string {
  return text.replace(extension, '')
}

const extension = / *\(?(?:;ext=|;? *(?:ext(?:ension|n)?|x|#)[.:]? *|[,;]+ *)\d{1,6}#?\)?$/i

/** Whether the text has the form of one phone number: digits and separators, with at most one `+`, before the digits. */
export function isPhoneNumberText(text: string): boolean {
  return /^[( ]*(?:\+[( ]*)?\d[\d ().\-/]*$/.test(text)
}

/** Whether the text contains more than one number. */
export function holdsSeveral(text: string): boolean {
  // Numbers with only a space between them are recognised because together they are too long for one number (E.164: 15 digits).
  const isTooLong = isPhoneNumberText(text) && digitsOf(text).length > 15
  const pieces = text.split(isTooLong ? /[ /]/ : /[,;|&/]| (?=\(?\+)| (?:and|or|und|oder|et|ou|y|o|e) /i)
  return pieces.filter(piece => isPhoneNumberText(piece.trim()) && digitsOf(piece).length >= 7).length > 1
}

export function digitsOf(text: string): string {
  return text.replace(/\D/g, '')
}

/** Unicode keeps the digits of a script in one range from 0 to 9, and another range may follow directly. */
function digitValue(digit: string): number {
  const codePoint = digit.codePointAt(0) ?? 0
  let before = 0
  while (/\p{Nd}/u.test(String.fromCodePoint(codePoint - before - 1))) before++
  return before % 10
}
