import { KithError } from '@kith/shared'
import { type DeviceMessage, maxFailureAddresses, type OwnProfile, type RosterSync } from '@kith/shared/wire'
import type { Feed } from '../relay/feed.ts'
import type { DocumentName } from '../store/keys.ts'
import { forBytes, forRelations } from './cost.ts'
import type { Session } from './session.ts'

/** Where a device's message goes. A message that came too early or twice is a protocol violation. */
export function handle(session: Session, message: DeviceMessage): void {
  switch (message.type) {
    case 'rosterSync':
      return sync(session, 'roster', message)
    case 'awareness':
      return // Nobody's awareness is carried.
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
    case 'fetch':
      return run(session, () => fetch(session, message.owner))
    case 'sendMessage':
      return run(session, () => session.context.messages.send(session, message))
    case 'received':
      return session.context.messages.received(session.user, message)
    case 'watch':
      return watch(session, feed, message.owners)
  }
}

/** Whatever goes wrong on the way ends this session. */
function run(session: Session, work: () => Promise<void>): void {
  work().catch((error: unknown) => session.fail(error))
}

function sync(session: Session, document: DocumentName, { step, payload }: RosterSync | OwnProfile): void {
  const account = session.context.accounts.of(session.user)
  const type = document === 'roster' ? 'rosterSync' : 'ownProfile'
  if (step === 'step1') {
    return account.task(
      async () => {
        await session.context.answers.whenFree(session.user, session)
        if (session.isClosed) return
        const missing = await account.missing(document, payload)
        session.charge(forBytes(missing?.length ?? 0))
        if (missing) session.say({ type, step: 'step2', payload: missing })
        else session.end('malformed', 'no state vector')
      },
      error => session.fail(error),
    )
  }
  if (step === 'step2') session.answered(document)
  account.write({ writer: session, document, update: payload, isAnswered: session.hasAnswered(document) })
}

function hello(session: Session, { cursor, owners = [] }: Extract<DeviceMessage, { type: 'hello' }>): void {
  if (session.feed) return session.end('protocol-violation', 'a second hello')
  const { context } = session
  const feed = session.openFeed()
  run(session, async () => {
    const { since } = await feed.resume(cursor)
    session.say({ type: 'welcome', isFresh: since === undefined, limits: context.limits })
    session.askFor('profile')
    await Promise.all(owners.map(owner => fetch(session, owner)))
    await feed.open(since)
    session.charge(forRelations(feed.relations))
    await session.waiting.promote()
  })
}

function barrier(session: Session, id: number, withFeed: boolean): void {
  session.context.accounts.of(session.user).task(
    () => {
      const isComplete = session.takeCompleteness()
      const answer = (): void => session.say({ type: 'reached', id, isComplete })
      if (withFeed && session.feed) session.feed.whenCaughtUp(answer)
      else answer()
    },
    error => session.fail(error),
  )
}

/** Looking somebody up for the first time costs (S4). */
async function fetch(session: Session, owner: string): Promise<void> {
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
  const [view] = await store.views(user, [owner])
  if (view?.relation.isWaiting) await session.waiting.promote()
  if (!(await store.hasAsked(user, owner))) {
    const { retryAfterMs } = await store.commit({ type: 'lookup', user, owner })
    if (retryAfterMs !== undefined) {
      return session.say({ type: 'failure', code: 'discovery-limit', retryAfterMs, count: 1, addresses: [owner] })
    }
  }
  feed?.fetch(owner)
  session.watch?.ask(owner)
}

/** Reading so many names costs about as much as a write does. */
const namesPerWrite = 64

/** The first of those named, up to the limit; each that is new costs as much as a write, and so do many beyond (S3). */
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

/** Where the token can't be checked now, the session goes on as long as the old one lasts. */
async function renew(session: Session, token: string): Promise<void> {
  const identity = await session.context.tokens.verify(token).catch((error: unknown) => {
    if (error instanceof KithError && error.code === 'unauthorised') return undefined
    session.context.log.warn({ user: session.user, err: error }, 'a new token could not be checked')
    return 'unchecked' as const
  })
  if (identity === 'unchecked') return
  if (identity?.user === session.user) session.renew(identity)
  else session.end('unauthorised', 'the new token is not valid for this user')
}
