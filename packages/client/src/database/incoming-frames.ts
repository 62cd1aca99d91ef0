import { type ContentLimits, KithError } from '@kith/shared'
import type { Access, Difference, OwnProfile, Profile, RosterSync, Welcome } from '@kith/shared/wire'
import * as Y from 'yjs'
import type { Randomness } from '../clock.ts'
import { type MadeAgain, madeAgainIn, putAbove } from '../documents/made-again.ts'
import type { DocumentName } from '../documents/name.ts'
import { goneKeys, removedAgain } from '../documents/removed-keys.ts'
import { mayBringBack, type SaidAgain, saidAgain, standingOf } from '../documents/said-again.ts'
import { newRemakingClientId } from '../nonce.ts'
import { dropSaid, offerRefused, remake, sayAgain } from './edit.ts'
import { readMeta, writeMeta } from './meta.ts'
import { isOfOtherGeneration } from './rebase.ts'
import type { Store } from './store.ts'
import type { Work } from './work.ts'

/** The server's messages that this device stores. A `step1` is only a request, so it is not one of them. */
export type StoredFrame =
  | Welcome
  | Access
  | Profile
  | Difference
  | { type: 'caughtUp'; cursor: Uint8Array }
  | ((RosterSync | OwnProfile) & { step: 'step2' | 'update' })

/** The work that remains after storing frames. */
export interface StoredOutcome {
  /** Documents that lack predecessors of a received update. */
  incomplete: Set<DocumentName>
  /** Documents in which another device turned out to write with this device's client id. */
  cloned: Set<DocumentName>
  /** Documents of which the server has another generation: nothing of it is stored. */
  outdated: Set<DocumentName>
}

/** What a session remembers from earlier frames. */
export interface EarlierFrames {
  /** Documents of which the server has another generation. Its updates of them are ignored until they are rebased. */
  readonly outdated: Set<DocumentName>
  /**
   * Users who joined, according to frames after the last cursor. The app is told with the next cursor: if the session ends before
   * it, the server tells the device again [F3].
   */
  joined: ReadonlySet<string>
}

/** Stores frames in the order of their arrival in one transaction, together with their cursor [V7]. */
export async function storeFrames(
  store: Store,
  frames: readonly StoredFrame[],
  randomness: Randomness,
  earlier: EarlierFrames = { outdated: new Set(), joined: new Set() },
): Promise<StoredOutcome> {
  const { outdated } = earlier
  const [outcome, joined] = await store.work(async work => {
    const outcome: StoredOutcome = { incomplete: new Set(), cloned: new Set(), outdated }
    const joined = new Set(earlier.joined)
    await work.people.load(frames.flatMap(frame => ('owner' in frame ? [frame.owner] : [])))
    let cursor = new Uint8Array()
    for (const frame of frames) {
      // Dexie loses its transaction after some hundred awaits without a request, so only frames that need one are awaited.
      const storing = storeFrame(work, frame, outcome, randomness)
      if (storing) await storing
      if (frame.type === 'access' && frame.hasJustJoined) joined.add(frame.owner)
      if (!('cursor' in frame) || frame.cursor.length === 0) continue
      cursor = new Uint8Array(frame.cursor)
      for (const id of joined) work.people.happenings.push({ type: 'joined', id })
      joined.clear()
    }
    if (cursor.length > 0) await writeMeta(work.db, 'cursor', cursor)
    return [outcome, joined] as const
  })
  earlier.joined = joined
  return outcome
}

/**
 * The feed began from the start. Drops replicas that it did not repeat, after the server has received this device's roster and
 * has then handed over everything. If replicas were dropped earlier, a server that has lost its data would make every device
 * lose its replicas.
 */
export async function dropHidden(store: Store): Promise<void> {
  await store.work(async ({ db, documents, people }) => {
    const hidden = await db.replicas
      .toCollection()
      .filter(replica => replica.hidden.length > 0)
      .toArray()
    await people.load(hidden.map(replica => replica.owner))
    for (const { owner } of hidden) people.dropHidden(owner)
    await people.dropOldHands(documents.roster.view)
    await writeMeta(db, 'hasHidden', false)
  })
}

function storeFrame(
  work: Work,
  frame: StoredFrame,
  outcome: StoredOutcome,
  randomness: Randomness,
): Promise<void> | undefined {
  const { people } = work
  switch (frame.type) {
    case 'welcome':
      return welcomed(work, frame, randomness)
    case 'access':
      people.setAccess(frame.owner, frame.levels, frame.isWaiting)
      people.setFetched(frame.owner, frame.isFetched)
      people.setHands(work.documents.roster.view, frame.owner, frame.changedHands ?? '')
      if (frame.levels.length === 0) people.settleDrop(frame.owner)
      return undefined
    case 'profile':
      people.setLevel(frame.owner, frame.level, frame.fields)
      return undefined
    case 'difference':
      return people.changeLevel(frame) ? undefined : expectDropped(work, frame.owner)
    case 'caughtUp':
      return undefined // Only its cursor is stored.
    case 'rosterSync':
      return isEmpty(frame.payload) ? undefined : takeUpdate(work, 'roster', frame.payload, outcome, randomness)
    case 'ownProfile':
      return isEmpty(frame.payload) ? undefined : takeUpdate(work, 'profile', frame.payload, outcome, randomness)
  }
}

/**
 * A replica that this device dropped on its own needs no difference: it is fetched when its owner is admitted again. If a
 * difference is for any other replica that this device lacks, the session ends, and the next one receives the whole level.
 */
async function expectDropped({ db }: Work, owner: string): Promise<void> {
  if ((await readMeta(db, 'dropped'))?.owners.has(owner)) return
  throw new KithError('unavailable', 'The server sent a change of another profile than this device holds')
}

async function welcomed(work: Work, { isFresh, incarnation, limits }: Welcome, randomness: Randomness): Promise<void> {
  const before = work.documents.limits
  await writeMeta(work.db, 'limits', limits)
  await writeMeta(work.db, 'incarnation', incarnation)
  work.documents.limits = limits
  work.documents.incarnation = incarnation
  const isOther = (Object.keys(limits) as (keyof ContentLimits)[]).some(name => limits[name] !== before[name])
  if (isFresh || isOther) await offerRefused(work, randomness)
  if (!isFresh) return
  const held = await work.db.replicas.toArray()
  const owners = held.filter(replica => replica.levels.length > 0).map(replica => replica.owner)
  await work.people.load(owners)
  for (const owner of owners) work.people.hide(owner)
  await work.people.ageHands()
  await writeMeta(work.db, 'hasHidden', true)
}

/** An update without content consists of a count of clients and a count of deletions, both 0. */
function isEmpty(update: Uint8Array): boolean {
  return update.length <= 2
}

const nothingAgain: SaidAgain = { neverTaken: [], taken: [] }
const nothingBrought: MadeAgain = new Map()

async function takeUpdate(
  work: Work,
  name: DocumentName,
  update: Uint8Array,
  outcome: StoredOutcome,
  randomness: Randomness,
): Promise<void> {
  const document = work.documents[name]
  const known = work.documents.known[name]
  if (isOfOtherGeneration(document, endsOf(update).keys(), known)) outcome.outdated.add(name)
  if (outcome.outdated.has(name)) return
  // An update that another device wrote under this client id is not stored: it would get mixed up with this device's own.
  if (endOf(update, document.clientId) > document.ownClock) {
    outcome.cloned.add(name)
    return
  }
  work.willChange()
  const before = known && mayBringBack(document, known, update) ? standingOf(document) : undefined
  const brought = known ? madeAgainIn(update) : nothingBrought
  const gone = goneKeys(document, work.documents.removed[name], [...brought.keys()])
  const neverTaken = before ? work.documents.neverTaken(name) : []
  await work.documents.take(work.db, name, update)
  if (document.hasPending) outcome.incomplete.add(name)
  document.dropPending()
  const originals = work.documents.originals[name]
  const again = known && before ? saidAgain(document, { known, before, originals, neverTaken }) : nothingAgain
  const taken = [...again.taken, ...removedAgain(document, gone, brought)]
  await sayAgain(work, name, { neverTaken: again.neverTaken, taken }, randomness)
  await remake(work, name, putAbove(document, brought), newRemakingClientId(randomness))
  await dropSaid(work, name)
  if (name === 'profile' && document.changedKeys().length > 0) work.ownProfileChanged()
}

function endOf(update: Uint8Array, client: number): number {
  return endsOf(update).get(client) ?? 0
}

function endsOf(update: Uint8Array): Map<number, number> {
  try {
    return Y.parseUpdateMeta(update).to
  } catch (cause) {
    throw new KithError('unavailable', 'The server sent an update that cannot be read', { cause })
  }
}
