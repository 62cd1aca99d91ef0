import { type Edit, type Facts, narrowness, standing } from './edits.ts'
import type { Unconfirmed } from './hands.ts'

/**
 * Who may see what [V1–V3], and what devices must hold [F1][F4], written again independently of the engine. The sources are the
 * facts of both users and the backend's settings for them.
 */
export interface Account {
  readonly facts: Facts
  readonly isRegistered: boolean
  readonly isRestricted: boolean
}

/** The state on disk at one position. */
export interface Moment {
  readonly accounts: ReadonlyMap<string, Account>
  /** Each pair as `a b`, in alphabetical order. */
  readonly pairs: ReadonlySet<string>
  /** What does not count for the next holder of an id [D7]. */
  readonly unconfirmed: Unconfirmed
  /** The names with which rosters confirm an incarnation. */
  readonly names: IncarnationNames
}

/** The name that the server gave out for an incarnation: `incarnation user` → name. */
type IncarnationNames = ReadonlyMap<string, string>

/** Returns the incarnation of a user that a giver must confirm; `undefined` if everything that the giver says counts [D7]. */
export function toConfirm(moment: Moment, giver: string, user: string): number | undefined {
  const incarnation = moment.unconfirmed.get(`${giver} ${user}`)
  if (incarnation === undefined) return undefined
  const name = moment.names.get(`${incarnation} ${user}`)
  return accountOf(moment, giver).facts.has(`confirmed ${name} ${user}`) ? undefined : incarnation
}

/** The facts of a giver about a user, as far as they count. */
function countingFacts(moment: Moment, giver: string, user: string): Facts {
  const { facts } = accountOf(moment, giver)
  if (toConfirm(moment, giver, user) === undefined) return facts
  return new Map(
    [...facts].filter(([name]) => !/^(contact|grant|follow) /.test(name) || name.split(' ').at(-1) !== user),
  )
}

export const nobody: Account = { facts: new Map(), isRegistered: false, isRestricted: false }

export function pairOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}

export function mayTalk(moment: Moment, a: string, b: string): boolean {
  const [one, two] = [accountOf(moment, a), accountOf(moment, b)]
  if (!one.isRegistered || !two.isRegistered) return false
  if (one.facts.has(`block ${b}`) || two.facts.has(`block ${a}`)) return false
  return (!one.isRestricted && !two.isRestricted) || moment.pairs.has(pairOf(a, b))
}

/** The levels of the owner that the viewer may see. */
export function levelsSeen(moment: Moment, owner: string, viewer: string): Set<number> {
  if (!mayTalk(moment, owner, viewer)) return new Set()
  const facts = countingFacts(moment, owner, viewer)
  const levels = new Set(grantsOf(facts, viewer))
  const isContact = facts.has(`contact ${viewer}`) || levels.size > 0
  const audience = facts.get('audience') ?? 'everyone'
  if (audience === 'everyone' || (audience === 'contacts' && isContact) || levels.size > 0) levels.add(0)
  return levels
}

/** Whether the viewer may know if the owner is online: if the viewer sees something of the owner, unless the owner hides it. */
export function mayKnowPresence(moment: Moment, owner: string, viewer: string): boolean {
  return levelsSeen(moment, owner, viewer).size > 0 && !accountOf(moment, owner).facts.has('hidden')
}

/** The fields that the viewer may see, as `level field` → value. */
export function fieldsSeen(moment: Moment, owner: string, viewer: string): Map<string, unknown> {
  const levels = levelsSeen(moment, owner, viewer)
  const seen = new Map<string, unknown>()
  for (const [name, value] of accountOf(moment, owner).facts) {
    const [kind, level, field] = name.split(' ')
    if (kind === 'field' && levels.has(Number(level))) seen.set(`${level} ${field}`, value)
  }
  return seen
}

/**
 * Whether the viewer's devices receive the owner's updates: by a follow, or as an unrequested owner because of a grant [F4].
 */
export function isFed(moment: Moment, owner: string, viewer: string): boolean {
  const facts = countingFacts(moment, viewer, owner)
  if (facts.has(`follow ${owner}`)) return true
  const isWilling = facts.get('autoSync') !== false && !facts.has(`declined ${owner}`)
  return isWilling && grantsOf(countingFacts(moment, owner, viewer), viewer).length > 0
}

/**
 * Whether the owner's edits, in any order of arrival, could ever let a viewer see a field at this level. Everything that the
 * field's edit had seen takes effect before it [V6]. `edits`: all edits that were ever made. `refused`: edits that a server
 * refused, and that may never take effect.
 */
export function couldBeSeen(
  edits: readonly Edit[],
  field: Edit,
  level: number,
  viewer: string,
  refused: ReadonlySet<number> = new Set(),
): boolean {
  const before = edits.filter(({ id }) => field.seen.has(id))
  const effective = before.filter(({ id }) => !refused.has(id))
  if (isSurelyStanding(edits, effective, `block ${viewer}`)) return false
  const isPossible = (name: string): boolean =>
    [before, effective].some(seen => standing(seen, name, true).length > 0) ||
    edits.some(edit => !field.seen.has(edit.id) && edit.changes.get(name) !== undefined)
  const levels = [...new Set(edits.flatMap(({ changes }) => [...changes.keys()]))].flatMap(name => {
    const [kind, granted, whom] = name.split(' ')
    return kind === 'grant' && whom === viewer && isPossible(name) ? [Number(granted)] : []
  })
  if (levels.includes(level)) return true
  if (level !== 0) return false
  if (levels.length > 0) return true
  const narrowest = Math.max(
    0,
    ...effective.filter(edit => standing(edits, 'audience').includes(edit)).map(({ changes }) => narrownessOf(changes)),
  )
  return narrowest === 0 || (narrowest === 1 && isPossible(`contact ${viewer}`))
}

function isSurelyStanding(edits: readonly Edit[], before: readonly Edit[], name: string): boolean {
  const lasting = standing(edits, name)
  return before.some(edit => lasting.includes(edit))
}

function narrownessOf(changes: Edit['changes']): number {
  return narrowness[String(changes.get('audience') ?? 'everyone')] ?? 0
}

function grantsOf(facts: Facts, viewer: string): number[] {
  return [...facts.keys()].flatMap(name => {
    const [kind, level, whom] = name.split(' ')
    return kind === 'grant' && whom === viewer ? [Number(level)] : []
  })
}

function accountOf({ accounts }: Moment, user: string): Account {
  return accounts.get(user) ?? nobody
}
