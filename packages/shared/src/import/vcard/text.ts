/** Removes the backslash escapes of a value. vCard 2.1 has no `\n`, and a backslash before another character is literal. */
export function unescapeText(text: string, isOld: boolean): string {
  if (!text.includes('\\')) return text
  return text.replace(/\\([\s\S])/g, (pair, character: string) => {
    if (character === 'n' || character === 'N') return isOld ? pair : '\n'
    return isOld && !/[\\;:,]/.test(character) ? pair : character
  })
}

/** Splits a value with several parts, such as N and ORG, at each `separator` without a backslash before it. */
export function splitText(text: string, separator: ';' | ','): string[] {
  if (!text.includes('\\')) return text.split(separator)
  const parts: string[] = []
  let from = 0
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '\\') index++
    else if (text[index] === separator) {
      parts.push(text.slice(from, index))
      from = index + 1
    }
  }
  return [...parts, text.slice(from)]
}
