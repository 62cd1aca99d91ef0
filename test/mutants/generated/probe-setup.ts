import { writeFileSync } from 'node:fs'
import { afterAll, afterEach, beforeEach } from 'vitest'
import type { Calls } from './probes.ts'

/** Runs in each test file while coverage is collected. Records which functions each test called, and its duration. */

export interface Covered {
  /** The name in the form that patterns of names match. */
  name: string
  ms: number
  calls: Record<string, number[]>
}

const folder = process.env['KITH_PROBES']
const covered: Covered[] = []
/** Functions that were called before the first test. They count for all tests. */
let shared: Record<string, number[]> | undefined
let startMs = 0
let file = ''

beforeEach(({ task }) => {
  file = task.file.name
  shared ??= taken()
  forget()
  startMs = performance.now()
})

afterEach(({ task }) => {
  const names: string[] = []
  for (let at: { name: string; suite?: unknown } | undefined = task; at; at = at.suite as typeof at)
    names.unshift(at.name)
  covered.push({ name: names.join(' '), ms: performance.now() - startMs, calls: taken() })
})

afterAll(() => {
  if (folder) writeFileSync(`${folder}/${file.replaceAll('/', '+')}.json`, JSON.stringify({ shared, covered }))
})

function made(): Calls {
  return (globalThis as { __kithCalls?: Calls }).__kithCalls ?? {}
}

function taken(): Record<string, number[]> {
  const entries = Object.entries(made()).map(([name, calls]) => [name, Object.keys(calls).map(Number)] as const)
  return Object.fromEntries(entries.filter(([, numbers]) => numbers.length > 0))
}

function forget(): void {
  for (const calls of Object.values(made())) calls.length = 0
}
