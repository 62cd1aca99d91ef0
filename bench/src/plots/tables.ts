import type { Workload } from './results.ts'

/** Columns that are left out, because the page is too narrow for them. */
const leftOut = /resident/

const headings: Readonly<Record<string, string>> = {
  W1: 'an edit until all followers have it',
  W2: 'a new device',
  W3: 'a device returns',
  W4: 'idle devices',
  W5: 'a phone book',
  W6: 'awaiting the disk',
  W7: 'an owner with many followers',
}

/** Returns the tables of a workload's sizes as Markdown: medians, and the ratio of each to that of the first contestant. */
function tablesOf(workloads: readonly Workload[]): string {
  return workloads.map(tableOf).join('\n')
}

function tableOf({ title, contestants }: Workload): string {
  const [base] = contestants
  const figures = [...new Set(contestants.flatMap(one => Object.keys(one.figures)))].filter(one => !leftOut.test(one))
  const rows = contestants.map(contestant => {
    const cells = figures.map(figure => {
      const found = contestant.figures[figure]?.median
      if (found === undefined) return '–'
      const compared = base?.figures[figure]?.median
      const isBase = contestant === base || compared === undefined || compared === 0
      return isBase ? numberText(found) : `${numberText(found)} (${numberText(found / compared)}x)`
    })
    return `| ${[contestant.name, ...cells].join(' | ')} |`
  })
  return [`| ${[title, ...figures].join(' | ')} |`, `|---|${figures.map(() => '---|').join('')}`, ...rows, ''].join(
    '\n',
  )
}

/** Formats a number with two or three significant digits; from 100 on, as an integer. */
function numberText(value: number): string {
  return value >= 100
    ? Math.round(value).toLocaleString('en-GB')
    : String(Number(value.toPrecision(value < 10 ? 2 : 3)))
}

/**
 * Inserts a heading and the tables of each workload between its marks, `<!-- W1 -->` and `<!-- end -->`. Marks without tables
 * are left unchanged.
 */
export function withTables(text: string, workloads: readonly Workload[]): string {
  return text.replace(/(<!-- (W\d) -->\n)[\s\S]*?(<!-- end -->)/g, (whole, begin: string, id: string, end: string) => {
    const found = workloads.filter(one => one.id === id)
    const heading = `### ${id}: ${headings[id] ?? id}\n\n`
    return found.length === 0 ? whole : `${begin}${heading}${tablesOf(found)}${end}`
  })
}
