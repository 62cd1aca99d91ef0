import { closeCodes, KithError, privacyNames } from '@kith/shared'
import {
  type DeflatedRoster,
  type DeviceMessage,
  fitOf,
  maxFailureAddresses,
  type OwnProfile,
  oldestWire,
  ownDocumentNames,
  type RosterSync,
  wireVersion,
} from '@kith/shared/wire'
import type { DocumentName } from '../relations/records.ts'
import type { Feed } from '../relay/feed.ts'
import { turnForSlice } from '../turns.ts'
import { askFor } from './begin.ts'
import { forBytes, forRelations } from './cost.ts'
import { inTime } from './in-time.ts'
import { inflate } from './inflate.ts'
import { lookUp } from './lookup.ts'
import { closeReason, type Session } from './session.ts'

type Hello = Extract<DeviceMessage, { type: 'hello' }>

/** Dispatches a device's message. A message that comes too early or twice is a protocol violation. */
export function handle(session: Session, message: DeviceMessage): void {
  switch (message.type) {
    case 'rosterSync':
      return sync(session, 'roster', message)
    case 'awareness':
      return // Awareness is not relayed for any user.
    case 'queryAwareness':
      return session.say({ type: 'awareness' })
    case 'hello':
      return hello(session, message)
    case 'barrier':
      return barrier(session, message.id, message.withFeed)
    case 'renew':
      return run(session, () => renew(session, message.token))
  }
  const { feed } = session
  if (!feed) return session.end('protocol-violation', `${message.type} before hello`)
  switch (message.type) {
    case 'ownProfile':
      return sync(session, 'profile', message)
    case 'deflatedRoster':
      return deflated(session, message)
    case 'fetch':
      return run(session, () => fetch(session, message.owner))
    case 'sendMessage':
      return run(session, () => send(session, message))
    case 'received':
      return session.context.messages.received(session.user, message)
    case 'watch':
      return watch(session, feed, message.owners)
  }
}

/** Any error in this work ends the session. */
function run(session: Session, work: () => Promise<void>): void {
  work().catch((error: unknown) => session.fail(error))
}

function sync(session: Session, document: DocumentName, { step, payload }: RosterSync | OwnProfile): void {
  const account = session.context.accounts.of(session.user)
  if (step === 'step1') {
    session.asked(document)
    return account.task(
      async () => {
        await session.context.answers.whenFree(session.user, session)
        if (session.isClosed) return
        const mayAsk = session.comparesGenerations
        if (!mayAsk && (await account.isOfOther(document, payload))) return session.outdate(document)
        await account.missing(document, payload, missing => {
          const known = session.founderOf(document)
          const founder = account.founderInMemory(document)
          if (known !== undefined && known !== founder) return session.outdate(document)
          session.charge(forBytes(missing?.length ?? 0))
          if (missing) session.answer(document, missing, founder)
          else session.end('malformed', 'no state vector')
        })
      },
      error => session.fail(error),
    )
  }
  if (step === 'step2') {
    session.requests.answered(document)
    session.hasSynced(document)
  }
  account.write({ writer: session, document, update: payload, isAnswered: session.requests.hasAnswered(document) })
}

function deflated(session: Session, message: DeflatedRoster): void {
  const payload = inflate(message)
  if (!payload) return session.end('malformed', 'a compressed update that is none')
  sync(session, 'roster', { type: 'rosterSync', step: message.step, payload })
}

/**
 * Welcomes the device, unless the account that it synced with was erased [D7]. The answer is queued in the account, so
 * everything that the device sent after its hello waits for it. Until then, step 1s are not answered and updates are not
 * written.
 */
function hello(session: Session, { version, oldest = 1, cursor, incarnation, owners = [], holds = {} }: Hello): void {
  if (session.feed) return session.end('protocol-violation', 'a second hello')
  const fit = fitOf({ version, oldest })
  if (fit === 'too-old') return session.end('upgrade-required', `wire ${version}, and this server needs ${oldestWire}`)
  if (fit === 'too-new') {
    const what = `a server of wire ${oldest}, and this one has ${wireVersion}`
    return session.close(closeCodes.tooNew, closeReason('upgrade-required', what))
  }
  const { context, user } = session
  session.wire = version
  const feed = session.openFeed()
  const account = context.accounts.of(user)
  account.task(
    async () => {
      const { current, state } = await context.store.incarnation(user, incarnation ?? new Uint8Array())
      if (session.isClosed) return
      if (state === 'later') {
        account.drop(session)
        context.log.warn({ user }, 'a device knows of an erasure that this store lacks: erase the account again')
        return session.close(closeCodes.unavailable, 'this store is older than the account')
      }
      const isErased = state === 'ended'
      const same = isErased ? [] : await sameDocuments(session, holds)
      if (session.isClosed) return
      const { since } = await feed.resume(cursor)
      const { limits } = context
      const understands = version > 1 && { understands: { wire: wireVersion, privacy: privacyNames, same } }
      session.say({
        ...{ type: 'welcome', isFresh: since === undefined, isErased, incarnation: current, limits },
        ...understands,
      })
      if (isErased) {
        account.drop(session)
        return session.end('account-erased', 'the account that this device synced with was erased')
      }
      session.arrive()
      run(session, async () => {
        if (!same.includes('profile')) askFor(session, 'profile')
        await fetchAll(session, owners)
        await context.openings.run(user, async () => {
          if (session.isClosed) return
          await feed.open(since)
          session.charge(forRelations(feed.relations))
          await session.waiting.promote()
        })
      })
    },
    error => session.fail(error),
  )
}

/** Returns which documents of a device match those on disk. Call this in a task of the account. */
async function sameDocuments(session: Session, holds: NonNullable<Hello['holds']>): Promise<DocumentName[]> {
  const { accounts } = session.context
  const account = accounts.of(session.user)
  const same: DocumentName[] = []
  for (const name of ownDocumentNames) {
    const digest = holds[name]
    if (!digest) continue
    await account.compare(name, digest, isSame => {
      if (!isSame) return
      session.holdsAll(name, account.founderInMemory(name))
      same.push(name)
    })
    session.looked(await account.weight(name))
  }
  return same
}

function barrier(session: Session, id: number, withFeed: boolean): void {
  const { store, elsewhere } = session.context
  if (!withFeed || !store.node) return answerBarrier(session, id, withFeed)
  // Any node may have written what the user may see up to now.
  run(session, async () => {
    await store.whenCurrent()
    await elsewhere.settled(session.user)
    answerBarrier(session, id, withFeed)
  })
}

function answerBarrier(session: Session, id: number, withFeed: boolean): void {
  session.context.accounts.of(session.user).task(
    () => {
      const isComplete = session.takeCompleteness()
      const answer = (): void => {
        // If a change could not be stored, the only report of it is the end of the session.
        if (!session.isLeaving) session.say({ type: 'reached', id, isComplete })
      }
      if (withFeed && session.feed) session.feed.whenCaughtUp(answer)
      else answer()
    },
    error => session.fail(error),
  )
}

/** Waits until the device is known to belong to the present account [D7]. */
async function send(session: Session, message: Extract<DeviceMessage, { type: 'sendMessage' }>): Promise<void> {
  if (await session.arrived) await session.context.messages.send(session, message)
}

/** The number of owners that are looked up together: in one commit, for which all other commits wait. */
const lookupsAtOnce = 16

/** In slices, because a device names up to 256 owners at a time, and each of them is read and may be a commit [S3]. */
async function fetchAll(session: Session, owners: readonly string[]): Promise<void> {
  for (let start = 0; start < owners.length; start += lookupsAtOnce) {
    if (start > 0) await turnForSlice()
    await Promise.all(owners.slice(start, start + lookupsAtOnce).map(owner => fetch(session, owner)))
  }
}

/** The first look-up of a user is charged [S4]. */
async function fetch(session: Session, owner: string): Promise<void> {
  if (!(await session.arrived)) return
  const { store } = session.context
  const { user, feed } = session
  if (owner === user) {
    return session.say({
      type: 'access',
      owner,
      levels: [],
      isWaiting: false,
      hasJustJoined: false,
      isFetched: false,
      cursor: new Uint8Array(),
    })
  }
  const { views } = await store.views(user, [owner])
  if (views[0]?.relation.isWaiting) await session.waiting.promote()
  const failure = await lookUp(store, session, owner)
  if (failure) return session.say({ type: 'failure', ...failure, count: 1, addresses: [owner] })
  feed?.fetch(owner)
  session.watch?.ask(owner)
}

/** Reading this many names costs about as much as a write. */
const namesPerWrite = 64

/**
 * Watches the first of the named users, up to the limit. Each new one costs as much as a write, and so do many names beyond the
 * limit [S3].
 */
function watch(session: Session, feed: Feed, owners: readonly string[]): void {
  const named = [...new Set(owners)]
  const watched = new Set(named.slice(0, session.context.limits.watchedOwners))
  const watch = session.openWatch(feed)
  const beyond = Math.floor((owners.length - watched.size) / namesPerWrite)
  if (!session.isWithinWrites(watch.countNew(watched) + beyond)) return
  watch.replace(watched)
  const left = named.slice(watched.size)
  if (left.length === 0) return
  const addresses = left.slice(0, maxFailureAddresses)
  session.say({ type: 'failure', code: 'too-many-watched', retryAfterMs: 0, count: left.length, addresses })
}

/** If the token cannot be checked now, the session continues until the old token expires. */
async function renew(session: Session, token: string): Promise<void> {
  const identity = await inTime(session.context.clock, session.context.tokens.verify(token)).catch((error: unknown) => {
    if (error instanceof KithError && error.code === 'unauthorised') return undefined
    session.context.log.warn({ user: session.user, err: error }, 'a new token could not be checked')
    return 'unchecked' as const
  })
  if (identity === 'unchecked') return
  if (identity?.user === session.user) session.renew(identity)
  else session.end('unauthorised', 'the new token is not valid for this user')
}
