/**
 * The rules of merging [R1–R6], said once more and apart from the engine: with plain sets, without Yjs.
 *
 * A *fact* is a name with a value: `contact bob`, `grant 2 bob`, `follow bob`, `declined bob`, `block bob`, `label bob`,
 * `audience`, `hidden`, `autoSync`, `field 2 mood`. An *edit* is what one device did at one moment: facts put and facts dropped,
 * and which edits it had seen. What stands is what no edit dropped that had seen it.
 */
export type Facts = ReadonlyMap<string, unknown>

/** Facts that change, with their new values; `undefined` drops. */
export type FactChanges = ReadonlyMap<string, unknown>

export interface Edit {
  readonly id: number
  readonly user: string
  readonly changes: FactChanges
  /** The edits that the device had seen. */
  readonly seen: ReadonlySet<number>
}

/** Narrower is higher. */
export const narrowness: Readonly<Record<string, number>> = { everyone: 0, contacts: 1, nobody: 2 }

/** Whether `later` undoes what `edit` says of a fact. It must have seen it. */
function undoes(later: Edit, edit: Edit, name: string): boolean {
  if (!later.seen.has(edit.id) || !later.changes.has(name)) return false
  if (name !== 'audience') return true
  // Only widening lifts a narrower audience [R4].
  return narrow(later.changes.get(name)) < narrow(edit.changes.get(name))
}

/** Edits that put a fact, and that nothing undid which had seen them. */
export function standing(edits: readonly Edit[], name: string): Edit[] {
  const puts = edits.filter(({ changes }) => changes.get(name) !== undefined)
  return puts.filter(edit => !edits.some(later => undoes(later, edit, name)))
}

/** What is wrong with facts that are said to come of these edits; nothing, when it may be so. */
export function wrongFacts(edits: readonly Edit[], facts: Facts): { name: string; wrong: string }[] {
  const names = new Set([...edits.flatMap(({ changes }) => [...changes.keys()]), ...facts.keys()])
  return [...names].flatMap(name => {
    const wrong = wrongFact(edits, name, facts.get(name))
    return wrong ? [{ name, wrong: `${name} is ${String(facts.get(name))}, but ${wrong}` }] : []
  })
}

function wrongFact(edits: readonly Edit[], name: string, value: unknown): string | undefined {
  const puts = standing(edits, name)
  if (name === 'audience') {
    const narrowest = Math.max(0, ...puts.map(({ changes }) => narrow(changes.get(name))))
    return narrow(value) === narrowest ? undefined : `the narrowest that stands is ${narrowest} [R4]`
  }
  if (value === undefined) {
    if (puts.length === 0 || mayBeLost(edits, puts, name)) return undefined
    return 'it was put and nothing dropped it that had seen it [R2]'
  }
  const values = puts.map(({ changes }) => changes.get(name))
  return values.includes(value) ? undefined : `what stands is ${values.join(' or ') || 'nothing'} [R1]`
}

/**
 * One key that two devices add at once and one of them removes again is present or absent [R2]; blocks, hiding and fields
 * of the own profile are always present then [R4][R6].
 */
function mayBeLost(edits: readonly Edit[], puts: readonly Edit[], name: string): boolean {
  if (name.startsWith('block ') || name.startsWith('field ') || name === 'hidden') return false
  const others = edits.filter(edit => edit.changes.get(name) !== undefined && !puts.includes(edit))
  return others.some(other => puts.some(put => !put.seen.has(other.id)))
}

function narrow(audience: unknown): number {
  return narrowness[String(audience ?? 'everyone')] ?? 0
}
