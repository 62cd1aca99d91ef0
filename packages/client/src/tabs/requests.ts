import { KithError } from '@kith/shared'
import { type KithDatabase, type RequestRow, readMeta, writeMeta } from '../database/schema.ts'
import type { DeviceStore } from '../database/store.ts'
import type { Delivery } from '../sync/port.ts'
import { errorFrom, type PlainError, plainError } from './notices.ts'

/** What a tab asks of the one that has the socket, and waits for. */
export type Question =
  | { type: 'fetch'; owner: string }
  | { type: 'send'; to: string; text: string }
  | { type: 'whenSynced' }

/** What it wants of it from here on. */
export type Wish = { type: 'connect' | 'disconnect' }

export type Request = Question | Wish

export type Reply = Delivery | undefined

type Answer = { reply: Reply } | { error: PlainError }

/**
 * Asks, and resolves to the reply. When the signal fires the request is taken back, and its reason is thrown; of a message,
 * resolves to what is known of it by then.
 */
export async function ask(store: DeviceStore, request: Question, askedAt: number, signal: AbortSignal): Promise<Reply> {
  for (;;) {
    const id = await store.use(db => db.requests.add({ askedAt, request }))
    try {
      const answer = await answerTo(store, id, signal)
      if (answer && 'error' in answer) throw errorFrom(answer.error)
      if (answer) return answer.reply
      if (request.type === 'send') return 'unconfirmed'
      if (request.type === 'fetch') return undefined
    } catch (error) {
      if (request.type !== 'send' || !signal.aborted) throw error
      return (await takeBack(store, id)) ? 'undelivered' : 'unconfirmed'
    } finally {
      await takeBack(store, id)
    }
  }
}

/**
 * Whether no tab had begun it: then none will. It does not fail, as the caller would then ask again: what can't be taken
 * back now is dropped once it is late.
 */
async function takeBack(store: DeviceStore, id: number): Promise<boolean> {
  const taking = store.use(db =>
    db.transaction('rw', db.requests, async () => {
      const row = await db.requests.get(id)
      if (row) await db.requests.delete(id)
      return row !== undefined && !row.isBegun
    }),
  )
  return taking.catch(() => false)
}

/** `undefined` when the request is no more, and no answer will come. */
async function answerTo(store: DeviceStore, id: number, signal: AbortSignal): Promise<Answer | undefined> {
  let stop: () => void = () => undefined
  try {
    return await new Promise<Answer | undefined>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason)
      if (signal.aborted) return onAbort()
      signal.addEventListener('abort', onAbort)
      const stopAsking = store.live(db => db.requests.get(id), {
        next: row => {
          if (!row) resolve(undefined)
          else if (row.answer) resolve(row.answer as Answer)
        },
        error: reject,
      })
      stop = () => {
        stopAsking()
        signal.removeEventListener('abort', onAbort)
      }
    })
  } finally {
    stop()
  }
}

/**
 * Whether the app wants to be connected is kept for the next holder, in one with the request: the last wish counts.
 * Resolves when the tab with the connection has followed it. It stays when the signal fires.
 */
export async function wish(store: DeviceStore, request: Wish, askedAt: number, signal: AbortSignal): Promise<void> {
  const id = await store.use(db =>
    db.transaction('rw', db.meta, db.requests, async () => {
      await writeMeta(db, 'isWanted', request.type === 'connect')
      return db.requests.add({ askedAt, request })
    }),
  )
  await answerTo(store, id, signal)
}

/** A database that does not know yet what the app wants learns it from the tab that has the socket. */
export async function noteWish(db: KithDatabase, isWanted: boolean): Promise<void> {
  await db.transaction('rw', db.meta, async () => {
    if ((await readMeta(db, 'isWanted')) === undefined) await writeMeta(db, 'isWanted', isWanted)
  })
}

/** A tab takes over, in this term: what all wishes up to now come to, which is whether the app wants to be connected. */
export async function takeWishes(db: KithDatabase, term: string): Promise<boolean> {
  return db.transaction('rw', db.meta, db.requests, async () => {
    await writeMeta(db, 'term', term)
    await db.requests.filter(row => isWish(row.request as Request)).delete()
    return (await readMeta(db, 'isWanted')) ?? false
  })
}

/** Whether no other tab has taken over since this term began. */
export async function isCurrent(db: KithDatabase, term: string): Promise<boolean> {
  const current = await readMeta(db, 'term')
  return current === undefined || current === term // A new database has none yet.
}

export interface Service {
  /** The tab that serves, from when it took over. */
  term: string
  handle(request: Request, askedAt: number): Promise<Reply>
  /** Whether this is not to be done any more. */
  isLate(request: Request, askedAt: number): boolean
  failed(error: unknown): KithError
}

/**
 * Does what tabs ask, this one too, from now on, and begins it in the order in which it was asked. The answer stops it:
 * what was begun and not answered by then is left to the next holder.
 */
export function serve(store: DeviceStore, { term, handle, isLate, failed }: Service): () => void {
  const begun = new Set<number>()
  let isStopped = false
  const reply = async (request: Request, askedAt: number): Promise<Answer | undefined> => {
    try {
      return { reply: await handle(request, askedAt) }
    } catch (error) {
      if (isStopped) return undefined
      // The tab that asked gets the error; this tab reports nothing.
      return { error: plainError(error instanceof KithError ? error : failed(error)) }
    }
  }
  const take = async (id: number, { askedAt, ...row }: RequestRow): Promise<void> => {
    const request = row.request as Request
    const isTooLate = isLate(request, askedAt)
    const next = await store.use(db => begin(db, id, request, term, isTooLate))
    if (isStopped || next === 'leave') return
    // A message that a tab had begun which is no more may have been sent.
    const answer = next === 'do' ? await reply(request, askedAt) : { reply: 'unconfirmed' as const }
    if (isStopped || !answer) return
    await store.use<unknown>(db => (isWish(request) ? db.requests.delete(id) : db.requests.update(id, { answer })))
  }
  const report = (error: unknown): void => {
    if (!isStopped) failed(error)
  }
  const next = (rows: RequestRow[]): void => {
    for (const row of rows) {
      const id = row.id as number
      if (row.answer || begun.has(id)) continue
      begun.add(id)
      take(id, row).catch(report)
    }
  }
  const stop = store.live(db => db.requests.toArray(), { next, error: report })
  return () => {
    isStopped = true
    stop()
  }
}

/**
 * What a tab is to do about a request that it was asked: do it; say that another one may have done it; or leave it, since it
 * was taken back or is another tab's to do. A request that comes too late is dropped.
 */
async function begin(
  db: KithDatabase,
  id: number,
  { type }: Request,
  term: string,
  isLate: boolean,
): Promise<'do' | 'say' | 'leave'> {
  const isOnce = type === 'send'
  return db.transaction(isLate || isOnce ? 'rw' : 'r', db.meta, db.requests, async () => {
    const row = await db.requests.get(id)
    if (!row || row.answer || !(await isCurrent(db, term))) return 'leave'
    if (isLate) await db.requests.delete(id)
    if (isLate) return 'leave'
    if (row.isBegun) return 'say'
    if (isOnce) await db.requests.update(id, { isBegun: true })
    return 'do'
  })
}

function isWish({ type }: Request): boolean {
  return type === 'connect' || type === 'disconnect'
}
