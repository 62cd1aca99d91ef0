/**
 * The rules of merging [R1–R6], written again independently of the engine: with plain sets, without Yjs.
 *
 * A *fact* is a name with a value: `contact bob`, `grant 2 bob`, `follow bob`, `declined bob`, `block bob`, `label bob`,
 * `audience`, `hidden`, `autoSync`, `field 2 mood`. An *edit* is the change of one device at one moment: the facts that it
 * puts, the facts that it drops, and the edits that it had seen. A fact *stands* unless it was dropped by an edit that had seen
 * it.
 */
export type Facts = ReadonlyMap<string, unknown>

/** Facts that change, with their new values. `undefined` drops the fact. */
export type FactChanges = ReadonlyMap<string, unknown>

export interface Edit {
  readonly id: number
  readonly user: string
  readonly changes: FactChanges
  /** The edits that the device had seen. */
  readonly seen: ReadonlySet<number>
  /** Edits that it may or may not have seen: they count as dropped by it, or as concurrent with it. */
  readonly perhaps?: ReadonlySet<number>
  /** Set for an edit that a device made again [D5][D6]: what it knows of the earlier edits. Absent for an edit of the user. */
  readonly again?: Again
}

/** Data about an edit that repeats other edits which a server lacks. */
export interface Again {
  /** The original edits that it repeats. */
  readonly restates: ReadonlySet<number>
  /**
   * The originals were acknowledged. An edit that drops all of them drops this one, which has a lower rank than each of them.
   */
  readonly isWeak: boolean
  /** Of the edits that it had seen, those for which it removes the keys of one of several writers. */
  readonly replaces: ReadonlySet<number>
  /** All values that it puts of a field, by fact. It may hold the keys of several writers, any of which may be shown. */
  readonly fields: ReadonlyMap<string, readonly unknown[]>
  /** Whether it removes keys that narrow the audience. An edit that only puts such keys again removes no restriction. */
  readonly isLifting: boolean
}

/** A higher number is narrower. */
export const narrowness: Readonly<Record<string, number>> = { everyone: 0, contacts: 1, nobody: 2 }

/** Whether `later` undoes what `edit` says about a fact. It must have seen `edit`. */
export function undoing(later: Edit, edit: Edit, name: string): 'surely' | 'perhaps' | 'no' {
  if (later === edit || !later.changes.has(name)) return 'no'
  // Only a widening removes a narrower audience [R4].
  if (name === 'audience' && narrow(later.changes.get(name)) >= narrow(edit.changes.get(name))) return 'no'
  if (name === 'audience' && later.again?.isLifting === false) return 'no'
  if (later.seen.has(edit.id)) {
    // An edit that is made again removes exactly the keys that it removed before, not keys that were added meanwhile.
    const isExact = later.again === undefined || !hasManyKeys(name) || later.again.replaces.has(edit.id)
    return isExact ? 'surely' : 'perhaps'
  }
  const origins = [...(edit.again?.restates ?? [])]
  if (origins.length > 0 && origins.every(id => later.seen.has(id))) return edit.again?.isWeak ? 'surely' : 'perhaps'
  const isPossible = [edit.id, ...origins].some(id => later.seen.has(id) || later.perhaps?.has(id))
  return isPossible ? 'perhaps' : 'no'
}

/** Whether a fact has a key for each time or each writer, so that one removal may leave other keys. */
function hasManyKeys(name: string): boolean {
  return /^(block |field |audience$|hidden$)/.test(name)
}

/** Edits that put a fact and that no edit which had seen them undid. `mayStand`: also those that were perhaps undone. */
export function standing<T extends Edit>(edits: readonly T[], name: string, mayStand = false): T[] {
  const puts = edits.filter(({ changes }) => changes.get(name) !== undefined)
  const isUndone = (how: ReturnType<typeof undoing>): boolean => how === 'surely' || (how === 'perhaps' && !mayStand)
  return puts.filter(edit => !edits.some(later => isUndone(undoing(later, edit, name))))
}

/**
 * Checks facts that are claimed to result from these edits, and perhaps from `others`. Returns the violations; none if the
 * facts are possible. `ever`: all edits that were ever made, since removals may arrive before the edits that caused them.
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
  // Each of the others may or may not have arrived.
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
 * One key that two devices add concurrently, and that one of them removes, may be present or absent [R2]. Blocks, hiding and
 * fields of the user's own profile are always present in this case [R4][R6].
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
