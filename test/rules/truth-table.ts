import { type Operation, operations, type Pair, pairs, starts, undone } from './operations.ts'
import { outcomes } from './outcomes.ts'

/** The truth tables of docs/RULES.md: the result of each pair of changes that two devices make offline, computed from the library. */
export function truthTable(): string {
  const alone = operations.map((operation): Pair => ({ one: [operation], other: [] }))
  return [
    '## Two changes at once',
    'Two devices of one user hold the same roster and are offline. Each makes one change to the same contact. Then both connect. The tables show what both devices and the server hold afterwards. The result does not depend on which device made which change, or on which connects first.',
    "Each result is computed from the library, over every order of the devices' Yjs client ids (`test/rules/outcomes.ts`). `rules/truth-table.test.ts` compares it with what two clients and a server do.",
    table(
      ['change', 'what the app calls'],
      operations.map(({ name, call }) => [name, call]),
    ),
    [
      '| cell | meaning |',
      '| --- | --- |',
      '| `contact: 1, 2` | a contact who may see levels 1 and 2, and what the public may see |',
      '| `contact` | a contact without grants |',
      '| `followed` | the user follows the contact |',
      '| `declined` | automatic following leaves the contact out |',
      '| `blocked` | neither user sees anything of the other [V1] |',
      '| – | none of these |',
      '| *or* | one of the two results, the same on all devices [R1] |',
    ].join('\n'),
    'A change that changes nothing on its device writes nothing [R3]. So a second block of a contact who is already blocked does not survive a concurrent unblock. A second grant of a level that is already granted does not survive a concurrent revocation.',
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
