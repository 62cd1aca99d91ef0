import { KithError } from '@kith/shared'
import type { Status } from '../events.ts'
import type { Delivery } from '../link/port.ts'
import { type KithDatabase, type RequestRow, readMeta, writeMeta } from '../storage/database.ts'
import { watch } from '../storage/watch.ts'
import { errorFrom, type PlainError, plainError } from './notices.ts'

/** What a tab asks of the one that has the socket, and waits for. */
export type Question =
  | { type: 'status' }
  | { type: 'fetch'; owner: string }
  | { type: 'send'; to: string; text: string }
  | { type: 'whenSynced' }

/** What it wants of it from here on. */
export type Wish = { type: 'connect' | 'disconnect' }

export type Request = Question | Wish

export type Reply = Status | Delivery | undefined

type Answer = { reply: Reply } | { error: PlainError }

/** Asks, and resolves to the reply. When the signal fires the request is taken back, and its reason is thrown. */
export async function ask(db: KithDatabase, request: Question, askedAt: number, signal?: AbortSignal): Promise<Reply> {
  const id = await db.requests.add({ askedAt, request })
  try {
    const answer = await answerTo(db, id, request, signal)
    if ('error' in answer) throw errorFrom(answer.error)
    return answer.reply
  } finally {
    if (db.isOpen()) await db.requests.delete(id)
  }
}

async function answerTo(db: KithDatabase, id: number, request: Request, signal?: AbortSignal): Promise<Answer> {
  let stop: () => void = () => undefined
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const onAbort = (): void => reject(signal?.reason)
      if (signal?.aborted) return onAbort()
      signal?.addEventListener('abort', onAbort)
      const subscription = watch(db, () => db.requests.get(id)).subscribe({
        next: row => {
          if (!row) resolve(undone(request))
          else if (row.answer) resolve(row.answer as Answer)
        },
        error: reject,
      })
      stop = () => {
        subscription.unsubscribe()
        signal?.removeEventListener('abort', onAbort)
      }
    })
  } finally {
    stop()
  }
}

/**
 * What comes of a request that was too late, that a tab had begun which is no more, or that is lost with the database: a
 * message is never sent twice. A wait for all to be synced is never too late.
 */
function undone({ type }: Request): Answer {
  if (type === 'whenSynced') return { error: plainError(new KithError('database-lost', 'Wait anew')) }
  return { reply: type === 'send' ? 'undelivered' : undefined }
}

/**
 * Whether the app wants to be connected is kept for the next holder, in one with the request: the last wish counts.
 * Resolves when it is heeded. It stays when the signal fires.
 */
export async function wish(db: KithDatabase, request: Wish, askedAt: number, signal: AbortSignal): Promise<void> {
  const id = await db.transaction('rw', db.meta, db.requests, async () => {
    await writeMeta(db, 'isWanted', request.type === 'connect')
    return db.requests.add({ askedAt, request })
  })
  await answerTo(db, id, request, signal)
}

/** What all wishes up to now come to: whether the app wants to be connected. */
export async function takeWishes(db: KithDatabase): Promise<boolean> {
  return db.transaction('rw', db.meta, db.requests, async () => {
    await db.requests.filter(row => isWish(row.request as Request)).delete()
    return (await readMeta(db, 'isWanted')) ?? false
  })
}

export interface Service {
  handle(request: Request): Promise<Reply>
  /** Whether this is not to be done any more. */
  isLate(request: Request, askedAt: number): boolean
  failed(error: unknown): KithError
}

/**
 * Does what tabs ask, this one too, from now on, and begins it in the order in which it was asked. The answer stops it:
 * what was begun and not answered by then is left to the next holder.
 */
export function serve(db: KithDatabase, { handle, isLate, failed }: Service): () => void {
  const begun = new Set<number>()
  let isStopped = false
  const reply = async (request: Request): Promise<Answer | undefined> => {
    try {
      return { reply: await handle(request) }
    } catch (error) {
      return isStopped ? undefined : { error: plainError(failed(error)) }
    }
  }
  const take = async (id: number, { askedAt, isBegun, ...row }: RequestRow): Promise<void> => {
    const request = row.request as Request
    if (isLate(request, askedAt)) return db.requests.delete(id)
    if (request.type === 'send' && !isBegun) await db.requests.update(id, { isBegun: true })
    if (isStopped) return
    const answer = isBegun ? undone(request) : await reply(request)
    if (isStopped) return
    if (isWish(request)) await db.requests.delete(id)
    else await db.requests.update(id, { answer })
  }
  const subscription = watch(db, () => db.requests.toArray()).subscribe(rows => {
    for (const row of rows) {
      const id = row.id as number
      if (row.answer || begun.has(id)) continue
      begun.add(id)
      take(id, row).catch((error: unknown) => {
        if (!isStopped) failed(error)
      })
    }
  })
  return () => {
    isStopped = true
    subscription.unsubscribe()
  }
}

function isWish({ type }: Request): boolean {
  return type === 'connect' || type === 'disconnect'
}
