/** On one line, as written otherwise. */
export function onOneLine(text: string): string {
  return text.replace(/[\0\t\n\v\f\r]+/g, ' ').trim()
}
