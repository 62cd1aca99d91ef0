import type { KithError } from '@kith/shared'
import { liveQuery } from 'dexie'
import type { Status } from '../events.ts'
import type { Delivery } from '../link/port.ts'
import type { KithDatabase, RequestRow } from '../storage/database.ts'
import { errorFrom, type PlainError, plainError } from './notices.ts'

/** What a tab asks of the one that has the socket. */
export type Request =
  | { type: 'status' }
  | { type: 'connect' }
  | { type: 'disconnect' }
  | { type: 'fetch'; owner: string }
  | { type: 'send'; to: string; text: string }
  | { type: 'whenSynced' }

export type Reply = Status | Delivery | undefined

type Answer = { reply: Reply } | { error: PlainError }

/** Asks, and resolves to the reply. When the signal fires the request is taken back, and its reason is thrown. */
export async function ask(db: KithDatabase, request: Request, askedAt: number, signal?: AbortSignal): Promise<Reply> {
  const id = await db.requests.add({ askedAt, request })
  let stop: () => void = () => undefined
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      const onAbort = (): void => reject(signal?.reason)
      if (signal?.aborted) return onAbort()
      signal?.addEventListener('abort', onAbort)
      const subscription = liveQuery(() => db.requests.get(id)).subscribe({
        next: row => {
          if (row?.answer) resolve(row.answer as Answer)
        },
        error: reject,
      })
      stop = () => {
        subscription.unsubscribe()
        signal?.removeEventListener('abort', onAbort)
      }
    })
    if ('error' in answer) throw errorFrom(answer.error)
    return answer.reply
  } finally {
    stop()
    if (db.isOpen()) await db.requests.delete(id)
  }
}

/** Answers what tabs ask, this one too, from now on. `isLate` tells what is not to be done any more. */
export function serve(
  db: KithDatabase,
  handle: (request: Request) => Promise<Reply>,
  isLate: (request: Request, askedAt: number) => boolean,
  failed: (error: unknown) => KithError,
): () => void {
  const begun = new Set<number>()
  const answer = async (id: number, { request, askedAt }: RequestRow): Promise<void> => {
    if (isLate(request as Request, askedAt)) return db.requests.delete(id)
    let answered: Answer
    try {
      answered = { reply: await handle(request as Request) }
    } catch (error) {
      answered = { error: plainError(failed(error)) }
    }
    if (db.isOpen()) await db.requests.update(id, { answer: answered })
  }
  const subscription = liveQuery(() => db.requests.toArray()).subscribe(rows => {
    for (const row of rows) {
      const id = row.id as number
      if (row.answer || begun.has(id)) continue
      begun.add(id)
      answer(id, row).catch(failed)
    }
  })
  return () => subscription.unsubscribe()
}
