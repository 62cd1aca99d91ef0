/** Puts the text on one line, otherwise as written. */
export function onOneLine(text: string): string {
  return text.replace(/[\0\t\n\v\f\r]+/g, ' ').trim()
}
