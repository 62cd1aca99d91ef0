/** A line of a chart. */
export interface Line {
  readonly name: string
  /** Points by their position on the horizontal axis, from 0 to 1. */
  readonly points: readonly { readonly at: number; readonly value: number }[]
}

export interface Chart {
  readonly title: string
  readonly unit: string
  /** Labels below the horizontal axis, by position. */
  readonly marks: readonly { readonly at: number; readonly text: string }[]
  readonly caption: string
  readonly lines: readonly Line[]
}

const width = 720
const height = 400
const plot = { left: 64, right: 500, top: 52, bottom: 336 }

/**
 * Each line has its own colour and dash, and its name. The colours are those of Okabe and Ito, which colour-blind readers can
 * tell apart.
 */
const looks = [
  { light: '#555555', dark: '#bbbbbb', dash: '2 3' },
  { light: '#0072b2', dark: '#56b4e9', dash: '' },
  { light: '#009e73', dark: '#2fd0a5', dash: '8 3' },
  { light: '#d55e00', dark: '#ff9955', dash: '8 3 2 3' },
  { light: '#a8578a', dark: '#e69ac8', dash: '4 3' },
]

/** Draws a chart as SVG, with a logarithmic vertical axis. It is readable on a light page and on a dark one. */
export function drawn({ title, unit, marks, caption, lines }: Chart): string {
  const values = lines.flatMap(({ points }) => points.map(({ value }) => value)).filter(value => value > 0)
  const low = 10 ** Math.floor(Math.log10(Math.min(...values)))
  const high = 10 ** Math.ceil(Math.log10(Math.max(...values) * 1.001))
  const x = (at: number): number => round(plot.left + at * (plot.right - plot.left))
  const y = (value: number): number => {
    const share = Math.log10(Math.max(low, value) / low) / Math.log10(high / low)
    return round(plot.bottom - share * (plot.bottom - plot.top))
  }
  const parts = [
    text(plot.left, 24, 'title', title),
    text(plot.left, plot.top - 10, 'axis', unit),
    text((plot.left + plot.right) / 2, plot.bottom + 44, 'axis middle', caption),
    ...grid(low, high).map(value => horizontal(y(value), numberText(value))),
    ...marks.map(({ at, text: label }) => vertical(x(at), label)),
    ...lines.map((line, index) => polyline(line, index, x, y)),
    ...named(lines, y).map(({ name, at, index }) => text(plot.right + 12, at, `name line${index}`, name)),
  ]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${styles()}</style>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

/** Returns each power of ten and, if there are few of them, also its double and its half. */
function grid(low: number, high: number): number[] {
  const decades = Math.round(Math.log10(high / low))
  const steps = decades > 3 ? [1] : [1, 2, 5]
  const values: number[] = []
  for (let decade = 0; decade < decades; decade++) for (const step of steps) values.push(low * 10 ** decade * step)
  return [...values, high]
}

const leastBetween = 16

/** Places the names at the ends of their lines, moved apart. */
function named(lines: readonly Line[], y: (value: number) => number): { name: string; at: number; index: number }[] {
  const wanted = lines
    .map(({ name, points }, index) => ({ name, index, at: y(points.at(-1)?.value ?? 0) + 4 }))
    .sort((a, b) => a.at - b.at)
  let last = Number.NEGATIVE_INFINITY
  for (const one of wanted) {
    one.at = Math.max(one.at, last + leastBetween)
    last = one.at
  }
  return wanted
}

function polyline({ points }: Line, index: number, x: (at: number) => number, y: (value: number) => number): string {
  const at = points.map(one => `${x(one.at)},${y(one.value)}`)
  const dots = points.map(one => `<circle class="dot line${index}" cx="${x(one.at)}" cy="${y(one.value)}" r="2.5"/>`)
  return [`<polyline class="curve line${index}" points="${at.join(' ')}"/>`, ...dots].join('\n')
}

function horizontal(at: number, label: string): string {
  return `<path class="grid" d="M${plot.left} ${at}H${plot.right}"/>\n${text(plot.left - 8, at + 4, 'axis end', label)}`
}

function vertical(at: number, label: string): string {
  return `<path class="grid" d="M${at} ${plot.top}V${plot.bottom}"/>\n${text(at, plot.bottom + 20, 'axis middle', label)}`
}

function text(x: number, y: number, names: string, content: string): string {
  return `<text class="${names}" x="${round(x)}" y="${round(y)}">${escaped(content)}</text>`
}

function styles(): string {
  const colours = (theme: 'light' | 'dark'): string =>
    looks
      .map(
        (look, index) =>
          `.curve.line${index}{stroke:${look[theme]}}.dot.line${index},.name.line${index}{fill:${look[theme]}}`,
      )
      .join('')
  const dashes = looks
    .map(({ dash }, index) => (dash === '' ? '' : `.curve.line${index}{stroke-dasharray:${dash}}`))
    .join('')
  return [
    'text{font:13px system-ui,sans-serif}.title{font-size:15px;font-weight:600}.middle{text-anchor:middle}.end{text-anchor:end}',
    '.curve{fill:none;stroke-width:2}.grid{stroke-width:1}',
    `.title,.axis{fill:#333}.grid{stroke:#ddd}${colours('light')}${dashes}`,
    `@media(prefers-color-scheme:dark){.title,.axis{fill:#ddd}.grid{stroke:#444}${colours('dark')}}`,
  ].join('')
}

function numberText(value: number): string {
  return value >= 1 ? value.toLocaleString('en-GB') : String(Number(value.toPrecision(1)))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
