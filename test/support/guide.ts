import { readFile } from 'node:fs/promises'
import { inspect } from 'node:util'

/** The blocks of a guide in TypeScript and JavaScript as one program, as a reader would type them in one after the other. */
export interface Guide {
  /** Runs the program with these names in scope. Compares each `console.log(…) // prints …` with the actual output. */
  run(around: Readonly<Record<string, unknown>>): Promise<void>
}

/** Reads `docs/guides/NAME.md`. Ignores blocks in `tsx` and in other languages. */
export async function readGuide(name: string): Promise<Guide> {
  const text = await readFile(new URL(`../../docs/guides/${name}.md`, import.meta.url), 'utf8')
  const source = [...text.matchAll(/```[tj]s\n(.+?)```/gs)].map(([, block]) => block).join('')
  const imported = [...source.matchAll(/^import \{(.+?)\} from/gm)].flatMap(([, names = '']) => names.split(','))
  const expected: string[] = []
  const code = source
    .replace(/^import .*$/gm, '')
    .replace(/console\.log\((.+)\) \/\/ prints (.+)$/gm, (_, value, said) => {
      expected.push(said)
      return `print(${expected.length - 1}, ${value})`
    })
  return {
    async run(around) {
      const missing = imported.map(one => one.trim()).filter(one => !(one in around))
      if (missing.length > 0) throw new Error(`The guide imports ${missing}`)
      const printed: string[] = []
      const print = (line: number, ...values: unknown[]): void => {
        printed[line] = values.map(shown).join(' ')
      }
      const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor
      await new AsyncFunction(...Object.keys(around), 'print', code)(...Object.values(around), print)
      for (const [line, said] of expected.entries()) {
        if (printed[line] !== said) throw new Error(`It prints ${printed[line]} where the guide says ${said}`)
      }
    },
  }
}

/** Formats a value as `console.log` shows it, in one line. */
function shown(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 5 })
}
