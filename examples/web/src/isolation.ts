const firstStrongIsolate = '\u2068'
const popIsolate = '\u2069'

/**
 * Characters that can change the order of adjacent text: the ranges of letters that are written from right to left (Unicode,
 * DerivedBidiClass.txt, `@missing`), and marks, embeddings, overrides and isolates.
 */
const turning =
  /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

/** A line break, like everything that ends a paragraph, ends the isolates in it (UAX #9, P1 and X8). */
const breaks = /[\p{Cc}\u2029]/gu

let isolatesAll = false

/** On a right-to-left page, left-to-right words can also change the order of adjacent text. */
export function isolateAll(isOn: boolean): void {
  isolatesAll = isOn
}

/**
 * Isolates other people's words (a name, a label, a field, a message) for the middle of a plain string: a sentence, an
 * `aria-label`, a title. Whatever they contain, the text around them keeps its order (UAX #9, 2.4). Words that cannot change
 * any order are returned unchanged, so that a string can be searched and copied.
 */
export function isolated(words: string): string {
  return isolatesAll || turning.test(words) ? `${firstStrongIsolate}${balanced(words)}${popIsolate}` : words
}

/** Returns the words without isolates that they leave open, and without ends of isolates that they did not begin. */
export function balanced(words: string): string {
  let openCount = 0
  let text = ''
  for (const character of words.replace(breaks, ' ')) {
    if (character === popIsolate) {
      if (openCount === 0) continue
      openCount--
    } else if (/[\u2066-\u2068]/.test(character)) openCount++
    text += character
  }
  return text + popIsolate.repeat(openCount)
}
