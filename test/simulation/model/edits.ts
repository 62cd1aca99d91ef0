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
  /** Edits that it may have seen or not: they count as dropped by it, or as standing beside it. */
  readonly perhaps?: ReadonlySet<number>
  /** Absent of an edit that the user made; of one that a device made again [D5][D6], what it knows of those before. */
  readonly again?: Again
}

/** What is known of an edit that says once more what others said that a server lacks. */
export interface Again {
  /** The edits that said it first. */
  readonly restates: ReadonlySet<number>
  /** They were acknowledged: whoever drops all of them drops this one, which counts less than each of them. */
  readonly isWeak: boolean
  /** Of those that it had seen, the ones whose keys for one of several writers it removes. */
  readonly replaces: ReadonlySet<number>
  /** All values that it puts of a field, by fact: one may hold the keys of several writers, any of which may be shown. */
  readonly fields: ReadonlyMap<string, readonly unknown[]>
  /** It removes keys that narrow the audience. One that only puts such keys again lifts none. */
  readonly isLifting: boolean
}

/** Narrower is higher. */
export const narrowness: Readonly<Record<string, number>> = { everyone: 0, contacts: 1, nobody: 2 }

/** Whether `later` undoes what `edit` says of a fact: it must have seen it. */
export function undoing(later: Edit, edit: Edit, name: string): 'surely' | 'perhaps' | 'no' {
  if (later === edit || !later.changes.has(name)) return 'no'
  // Only widening lifts a narrower audience [R4].
  if (name === 'audience' && narrow(later.changes.get(name)) >= narrow(edit.changes.get(name))) return 'no'
  if (name === 'audience' && later.again?.isLifting === false) return 'no'
  if (later.seen.has(edit.id)) {
    // What is made again removes the very keys that it had removed before, and not what came meanwhile.
    const isExact = later.again === undefined || !hasManyKeys(name) || later.again.replaces.has(edit.id)
    return isExact ? 'surely' : 'perhaps'
  }
  const origins = [...(edit.again?.restates ?? [])]
  if (origins.length > 0 && origins.every(id => later.seen.has(id))) return edit.again?.isWeak ? 'surely' : 'perhaps'
  const isPossible = [edit.id, ...origins].some(id => later.seen.has(id) || later.perhaps?.has(id))
  return isPossible ? 'perhaps' : 'no'
}

/** Facts that are written under a key for each time or each writer, so that one removal may leave others standing. */
function hasManyKeys(name: string): boolean {
  return /^(block |field |audience$|hidden$)/.test(name)
}

/** Edits that put a fact, and that nothing undid which had seen them; `mayStand`: those too that were perhaps undone. */
export function standing<T extends Edit>(edits: readonly T[], name: string, mayStand = false): T[] {
  const puts = edits.filter(({ changes }) => changes.get(name) !== undefined)
  const isUndone = (how: ReturnType<typeof undoing>): boolean => how === 'surely' || (how === 'perhaps' && !mayStand)
  return puts.filter(edit => !edits.some(later => isUndone(undoing(later, edit, name))))
}

/**
 * What is wrong with facts that are said to come of these edits, and perhaps of others; nothing, when it may be so. `ever`:
 * all that were ever made, since removals may arrive ahead of what they come from.
 */
export function wrongFacts(
  edits: readonly Edit[],
  facts: Facts,
  others: readonly Edit[] = [],
  ever: readonly Edit[] = edits,
): { name: string; wrong: string }[] {
  const names = new Set([...edits.flatMap(({ changes }) => [...changes.keys()]), ...facts.keys()])
  return [...names].flatMap(name => {
    const wrong = wrongFact(edits, others, ever, name, facts.get(name))
    return wrong ? [{ name, wrong: `${name} is ${String(facts.get(name))}, but ${wrong}` }] : []
  })
}

function wrongFact(
  edits: readonly Edit[],
  others: readonly Edit[],
  ever: readonly Edit[],
  name: string,
  value: unknown,
): string | undefined {
  const all = [...edits, ...others]
  // Each of the others may have come or not.
  const must = standing(edits, name).filter(edit => !others.some(later => undoing(later, edit, name) !== 'no'))
  const may = [...new Set([...standing(edits, name, true), ...standing(all, name, true)])]
  if (name === 'audience') {
    const [least, most] = [must, may].map(puts => Math.max(0, ...puts.map(({ changes }) => narrow(changes.get(name)))))
    if (narrow(value) >= (least as number) && narrow(value) <= (most as number)) return undefined
    return `the narrowest that stands is ${least === most ? least : `${least} to ${most}`} [R4]`
  }
  if (value === undefined) {
    if (must.length === 0 || mayBeLost(ever, must, name)) return undefined
    return 'it was put and nothing dropped it that had seen it [R2]'
  }
  const values = may.flatMap(({ changes, again }) => again?.fields.get(name) ?? [changes.get(name)])
  return values.includes(value) ? undefined : `what stands is ${values.join(' or ') || 'nothing'} [R1]`
}

/**
 * One key that two devices add at once and one of them removes again is present or absent [R2]; blocks, hiding and fields
 * of the own profile are always present then [R4][R6].
 */
function mayBeLost(edits: readonly Edit[], puts: readonly Edit[], name: string): boolean {
  if (name.startsWith('block ') || name.startsWith('field ') || name === 'hidden') return false
  const lasting = standing(edits, name)
  const others = edits.filter(
    edit => edit.changes.get(name) !== undefined && !puts.includes(edit) && !lasting.includes(edit),
  )
  return others.some(other => puts.some(put => !put.seen.has(other.id)))
}

function narrow(audience: unknown): number {
  return narrowness[String(audience ?? 'everyone')] ?? 0
}
