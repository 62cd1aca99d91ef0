import { type Operation, operations, type Pair, pairs, starts, undone } from './operations.ts'
import { outcomes } from './outcomes.ts'

/** What becomes of two changes that two devices make apart: worked out from the engine, for docs/RULES.md. */
export function truthTable(): string {
  const alone = operations.map((operation): Pair => ({ one: [operation], other: [] }))
  return [
    '## Two changes at once',
    'Two devices of one user hold the same roster and are offline. One makes the first change, the other the second, both of the same contact; then they connect. The tables say what both devices, and the server, hold afterwards, whichever of them made which change or connects first.',
    "No outcome is typed by hand: each is worked out from the library, over every order of the devices' Yjs client ids (`test/rules/outcomes.ts`), and `rules/truth-table.test.ts` finds the same with two clients and a server.",
    table(
      ['change', 'what the app calls'],
      operations.map(({ name, call }) => [name, call]),
    ),
    'What is held is told so: `contact: 1, 2` is a contact who may see levels 1 and 2, besides what the public may see; `contact` is one without grants; `followed` means that the user follows them; `declined`, that automatic synchronisation doesn\'t; `blocked`, that neither sees anything of the other [V1], whatever else is held. – is nothing of all this. With "or", one of both holds, but the same everywhere [R1].',
    "A change that changes nothing where it is made writes nothing [R3]. So to block somebody whom the device shows as blocked doesn't outlive a lifting made elsewhere, and what is granted already isn't granted anew.",
    '### One change alone',
    table(
      ['change', ...startNames],
      [['none', ...cells({ one: [], other: [] })], ...alone.map(row => [named(row.one), ...cells(row)])],
    ),
    '### Two changes',
    pairTable(pairs),
    '### Made and undone on one device, made on the other',
    pairTable(undone),
  ].join('\n\n')
}

const startNames = starts.map(({ name }) => name)

function pairTable(rows: readonly Pair[]): string {
  return table(
    ['one device', 'the other', ...startNames],
    rows.map(row => [named(row.one), named(row.other), ...cells(row)]),
  )
}

function cells(pair: Pair): string[] {
  return starts.map(start => outcomes(start, pair).join(' *or* '))
}

function named(made: readonly Operation[]): string {
  return made.map(({ name }) => name).join(', then ')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')
}
