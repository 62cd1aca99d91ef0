const firstStrongIsolate = '\u2068'
const popIsolate = '\u2069'

/**
 * Characters that can turn the order of what stands beside them: the ranges of letters that run from right to left
 * (Unicode, DerivedBidiClass.txt, `@missing`), and marks, embeddings, overrides and isolates.
 */
const turning =
  /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

/** A line break, like all that ends a paragraph, ends the isolates in it (UAX #9, P1 and X8). */
const breaks = /[\p{Cc}\u2029]/gu

let isolatesAll = false

/** On a page from right to left, also words from left to right can turn what stands beside them. */
export function isolateAll(isOn: boolean): void {
  isolatesAll = isOn
}

/**
 * Other people's words (a name, a label, a field, a message) for the middle of a plain string: a sentence, an `aria-label`,
 * a title. Whatever they hold, what stands around them keeps its order (UAX #9, 2.4). Words that can turn nothing come
 * back as they are, so that a string can be searched and copied.
 */
export function isolated(words: string): string {
  return isolatesAll || turning.test(words) ? `${firstStrongIsolate}${balanced(words)}${popIsolate}` : words
}

/** The same words, without an isolate that they leave open, and without the end of one that they did not begin. */
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
