import { mustBeFolded } from '../../documents/stored-document.ts'
import { isLapsed } from '../lapsed.ts'
import { hasAccount, type Relation, type UserRecord } from '../records.ts'
import type { CheckedStore, Checking, CheckReport, Finding, Leftovers } from './checked-store.ts'
import { checkProfile, checkRoster } from './documents.ts'
import { checkCounts, checkRelations, checkSides } from './relations.ts'

/** What is counted for each user. */
const userLeftovers = ['relations', 'logs', 'declined'] as const
export type UserLeftovers = Pick<Leftovers, (typeof userLeftovers)[number]>

/**
 * Derives everything again from the documents and compares it with what is stored [D4]: facts, settings, levels, what each
 * viewer is shown, and the counts. Reads one user at a time, each from one state. Changes nothing.
 */
export async function checkStore(
  store: CheckedStore,
  onProgress?: (users: number) => void,
): Promise<Omit<CheckReport, 'leftovers'> & { leftovers: UserLeftovers }> {
  const report = {
    users: 0,
    relations: 0,
    leftovers: { relations: 0, logs: 0, declined: 0 },
    findings: [] as Finding[],
  }
  const noteOf = (user: string, what: string): void => void report.findings.push({ user, what })
  const compareRest = (): void => {
    for (const { user, other, relation, mirror } of store.uncompared()) {
      checkSides(other, relation, mirror, what => noteOf(user, what))
    }
  }
  const checked = new Set<string>()
  for await (const user of store.ids()) {
    if (checked.has(user)) continue
    checked.add(user)
    const note = (what: string): void => noteOf(user, what)
    try {
      const { incarnations, lapsing } = store
      const counts = await store.inState(state => checkUser({ state, user, incarnations, lapsing, note, noteOf }))
      report.relations += counts.relations
      for (const kind of userLeftovers) report.leftovers[kind] += counts.leftovers[kind]
    } catch (error) {
      note(`can't be read: ${error instanceof Error ? error.message : String(error)}`)
    }
    report.users++
    if (report.users % 1000 !== 0) continue
    compareRest()
    onProgress?.(report.users)
  }
  compareRest()
  return report
}

/** Returns how many relations the user has, and what of the user is left over. */
async function checkUser(checking: Checking): Promise<{ relations: number; leftovers: UserLeftovers }> {
  const { state, user, lapsing, note } = checking
  const [record] = (await state.users([user])) as [UserRecord]
  const relations: (readonly [string, Relation])[] = []
  // A popular user has more relations than a call can have arguments.
  for await (const page of state.relationsOf(user)) for (const one of page) relations.push(one)
  const roster = await checkRoster(checking, record, relations)
  const profile = await checkProfile(checking, record)
  checkCounts(record, relations, note)
  for (let start = 0; start < relations.length; start += relationsAtOnce) {
    await checkRelations(checking, record, relations.slice(start, start + relationsAtOnce))
  }
  const lapsed = lapsing ? relations.filter(([, one]) => isLapsed(one, lapsing.upTo, lapsing.observedMs)) : []
  const declined = (await state.users(roster.declined)).filter(one => !hasAccount(one))
  const logs = [roster.parts, profile].filter(mustBeFolded)
  return {
    relations: relations.length,
    leftovers: { relations: lapsed.length, logs: logs.length, declined: declined.length },
  }
}

/** The number of relations that are looked up with one read for each kind of record. */
const relationsAtOnce = 250
