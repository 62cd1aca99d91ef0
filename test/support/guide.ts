import { readFile } from 'node:fs/promises'
import { inspect } from 'node:util'

/** A guide's blocks of TypeScript, as one program: what a reader gets who types them in, one below the other. */
export interface Guide {
  /** Runs it with these names around it, and compares each `console.log(…) // prints …` with what it prints. */
  run(around: Readonly<Record<string, unknown>>): Promise<void>
}

/** Reads `docs/guides/NAME.md`. Blocks in `tsx` and in other languages are left out. */
export async function readGuide(name: string): Promise<Guide> {
  const text = await readFile(new URL(`../../docs/guides/${name}.md`, import.meta.url), 'utf8')
  const source = [...text.matchAll(/```ts\n(.+?)```/gs)].map(([, block]) => block).join('')
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

/** As `console.log` shows it, in one line. */
function shown(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 5 })
}
