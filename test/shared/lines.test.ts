import { expect, test } from 'vitest'
import { maxValueBytes } from '../../packages/shared/src/import/bounds.ts'
import { type Line, LineSplitter } from '../../packages/shared/src/import/text/lines.ts'

test('[S1] a line of a file takes no more memory than the bound of a value, and says that it was cut', () => {
  const lines: Line[] = []
  const splitter = new LineSplitter({ visited: 0 }, line => lines.push(line))
  const part = new Uint8Array(maxValueBytes / 2 + 10).fill(0x61)
  for (let count = 0; count < 4; count++) splitter.push(part)
  splitter.push(Uint8Array.of(0x0a, 0x62))
  splitter.end()
  expect(lines.map(({ text, isCut }) => [text.length, isCut])).toEqual([
    [maxValueBytes, true],
    [1, false],
  ])
})
