import type { Generated } from './generate.ts'
import type { Outcome, Result } from './results.ts'

export interface Tried {
  mutant: Generated
  result: Result
}

/** Prints the outcomes of the mutants by file. */
export function printTable(files: readonly string[], tried: readonly Tried[]): void {
  const count = (file: string, ...outcomes: Outcome[]): number =>
    tried.filter(({ mutant, result }) => mutant.file === file && outcomes.includes(result.outcome)).length
  const rows = files.map(file => {
    const [refused, killed, timedOut, survived] = [
      count(file, 'refused'),
      count(file, 'killed'),
      count(file, 'timed out'),
      count(file, 'survived', 'no test'),
    ]
    return {
      file: file.replace('packages/', '').replace('/src', ''),
      tried: killed + timedOut + survived,
      refused,
      killed,
      timedOut,
      survived,
    }
  })
  const width = Math.max(...rows.map(({ file }) => file.length))
  const line = (file: string, ...cells: (string | number)[]): string =>
    file.padEnd(width) + cells.map(cell => String(cell).padStart(10)).join('')
  console.log(`\n${line('file', 'refused', 'tried', 'killed', 'timed out', 'survived')}`)
  for (const row of rows)
    if (row.tried + row.refused > 0)
      console.log(line(row.file, row.refused, row.tried, row.killed, row.timedOut, row.survived))
}

/** Prints the survivors one by one, with the command that runs tests with them. */
export function printSurvivors(tried: readonly Tried[]): void {
  const survivors = tried.filter(({ result }) => result.outcome === 'survived' || result.outcome === 'no test')
  const sorted = survivors.sort((a, b) =>
    a.mutant.file < b.mutant.file ? -1 : a.mutant.file > b.mutant.file ? 1 : a.mutant.line - b.mutant.line,
  )
  for (const { mutant, result } of sorted) {
    const { file, line, operator, original, replacement, lineText, start, end } = mutant
    const noTest = result.outcome === 'no test' ? ', which no test calls' : ''
    console.log(`\n✗ ${file}:${line} (${operator}${noTest})`)
    console.log(`    ${lineText}`)
    console.log(`    ${short(original)} → ${short(replacement)}`)
    console.log(`    KITH_GENERATED='${JSON.stringify({ file, start, end, replacement }).replaceAll("'", "'\\''")}'`)
  }
}

function short(text: string): string {
  const flat = text.replace(/\s+/g, ' ')
  return flat.length > 100 ? `${flat.slice(0, 97)}…` : flat === '' ? 'nothing' : flat
}
