import type { FactChanges, Facts } from './edits.ts'
import { givesTo } from './hands.ts'

/** The operations of an app on a device that change the user's own documents. */
export type Operation =
  /** `levels: null` withdraws the contact. Absent fields are not changed. */
  | { type: 'sync' | 'update'; whom: readonly string[]; levels?: readonly number[] | null; follows?: boolean }
  | {
      type: 'save'
      whom: string
      levels?: readonly number[] | null
      follows?: boolean
      label?: string
      blocks?: boolean
    }
  | { type: 'remove'; whom: string }
  /** `incarnation`: the one that the device received; empty if it received none. */
  | { type: 'confirm'; whom: string; incarnation: string }
  /** The app opened the user's profile, or a message of the user arrived. */
  | { type: 'meet'; whom: string }
  | { type: 'audience'; audience: 'everyone' | 'contacts' | 'nobody' }
  | { type: 'hide'; isHidden: boolean }
  | { type: 'autoSync'; isOn: boolean }
  | { type: 'set'; level: number; field: string; value: string }
  | { type: 'unset'; level: number; field: string }

/** Returns what an operation must change on a device with these facts: nothing that stands already [R3][R5]. */
export function plan(operation: Operation, facts: Facts): FactChanges {
  const wanted = new Map<string, unknown>()
  switch (operation.type) {
    case 'sync':
      for (const whom of operation.whom) {
        if (operation.levels !== null) wanted.set(`contact ${whom}`, true)
        wantLevels(wanted, facts, whom, operation.levels)
        wantFollow(wanted, whom, operation.follows)
      }
      break
    case 'update':
      for (const whom of operation.whom) {
        if (operation.levels !== null) wanted.set(`contact ${whom}`, true)
        for (const level of operation.levels ?? []) wanted.set(`grant ${level} ${whom}`, true)
        if (operation.follows) wantFollow(wanted, whom, true)
      }
      break
    case 'save':
      if (operation.levels) wanted.set(`contact ${operation.whom}`, true)
      wantLevels(wanted, facts, operation.whom, operation.levels)
      wantFollow(wanted, operation.whom, operation.follows)
      if (operation.label !== undefined) wanted.set(`label ${operation.whom}`, operation.label || undefined)
      if (operation.blocks !== undefined) wanted.set(`block ${operation.whom}`, operation.blocks || undefined)
      break
    case 'remove':
      wantLevels(wanted, facts, operation.whom, null)
      wantFollow(wanted, operation.whom, false)
      wanted.set(`label ${operation.whom}`, undefined)
      dropConfirmations(wanted, facts, operation.whom)
      break
    case 'confirm': {
      const { whom, incarnation } = operation
      const name = `confirmed ${incarnation} ${whom}`
      if (incarnation === '' || facts.has(name) || !givesTo(facts, whom)) return wanted
      dropConfirmations(wanted, facts, whom)
      wanted.set(name, true)
      break
    }
    case 'meet': {
      const isFree = ['follow', 'declined', 'block'].every(fact => !facts.has(`${fact} ${operation.whom}`))
      if (isFree && facts.get('autoSync') !== false) wanted.set(`follow ${operation.whom}`, true)
      break
    }
    case 'audience':
      if ((facts.get('audience') ?? 'everyone') !== operation.audience) wanted.set('audience', operation.audience)
      return wanted
    case 'hide':
      wanted.set('hidden', operation.isHidden || undefined)
      break
    case 'autoSync':
      if ((facts.get('autoSync') ?? true) !== operation.isOn) wanted.set('autoSync', operation.isOn)
      return wanted
    case 'set':
      wanted.set(`field ${operation.level} ${operation.field}`, operation.value)
      break
    case 'unset':
      wanted.set(`field ${operation.level} ${operation.field}`, undefined)
  }
  return new Map([...wanted].filter(([name, value]) => facts.get(name) !== value))
}

function dropConfirmations(wanted: Map<string, unknown>, facts: Facts, whom: string): void {
  for (const name of facts.keys())
    if (name.startsWith('confirmed ') && name.endsWith(` ${whom}`)) wanted.set(name, undefined)
}

function wantLevels(
  wanted: Map<string, unknown>,
  facts: Facts,
  whom: string,
  levels: readonly number[] | null | undefined,
): void {
  if (levels === undefined) return
  for (const name of facts.keys())
    if (name.startsWith('grant ') && name.endsWith(` ${whom}`)) wanted.set(name, undefined)
  if (levels === null) wanted.set(`contact ${whom}`, undefined)
  for (const level of levels ?? []) wanted.set(`grant ${level} ${whom}`, true)
}

function wantFollow(wanted: Map<string, unknown>, whom: string, follows: boolean | undefined): void {
  if (follows === undefined) return
  wanted.set(`follow ${whom}`, follows || undefined)
  wanted.set(`declined ${whom}`, follows ? undefined : true)
}
