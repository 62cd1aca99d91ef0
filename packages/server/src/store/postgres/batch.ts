import { createHash } from 'node:crypto'
import type { RecordWrite } from '../../relations/record-store.ts'
import type { Turns } from '../../turns.ts'
import { encodeCommits } from '../nodes/commit-codec.ts'
import type { Batch } from '../nodes/shared-database.ts'
import { writeSetOf } from '../nodes/write-set.ts'
import { documentNumbers, encodeEventBody, encodeRelation, encodeUser } from './codec.ts'
import type { Statement } from './database.ts'

/** The number of rows that are encoded in one slice. */
const rowsInTurn = 250

/** The columns of a batch's writes, each a parameter of `commit_batch`, in its order. */
class Columns {
  readonly #subjects: ReadonlySet<string> | undefined
  readonly users: unknown[][] = [[], [], [], [], []]
  readonly relations: unknown[][] = [[], [], [], [], []]
  readonly levelsCleared: unknown[][] = [[]]
  readonly levels: unknown[][] = [[], [], [], []]
  readonly askedCleared: unknown[][] = [[]]
  readonly asked: unknown[][] = [[], []]
  readonly documentsCleared: unknown[][] = [[], []]
  readonly documents: unknown[][] = [[], [], [], []]
  readonly erasures: unknown[][] = [[], []]
  readonly revocations: unknown[][] = [[]]
  readonly eventsCleared: unknown[][] = [[]]
  readonly events: unknown[][] = [[], [], [], [], [], []]

  constructor(subjects: ReadonlySet<string> | undefined) {
    this.#subjects = subjects
  }

  add(write: RecordWrite): void {
    switch (write.kind) {
      case 'user': {
        const row = write.user && encodeUser(write.user)
        const levels = row && `{${row.levels.join()}}`
        const keepsNews = row !== undefined && this.#subjects?.has(write.id) === false
        return push(this.users, write.id, row?.registered_at, levels, row?.record, keepsNews)
      }
      case 'relation': {
        const { pair, relation } = write
        const bytes = relation && encodeRelation(relation)
        return push(this.relations, pair.a, pair.b, relation?.changedAt, relation?.joinedAt, bytes)
      }
      case 'level': {
        const { name, record } = write
        return push(this.levels, name.owner, name.level, record.position, record.fields)
      }
      case 'asked':
        return push(this.asked, write.lookup.viewer, write.lookup.id)
      case 'erasures':
        return push(this.erasures, write.id, write.count)
      case 'revocation':
        return push(this.revocations, write.id)
      case 'update':
        return push(this.documents, write.user, documentNumbers[write.document], write.position, write.update)
      case 'snapshot':
        return push(this.documents, write.user, documentNumbers[write.document], write.position, write.snapshot)
      case 'event': {
        const { name, event } = write
        const body = event && encodeEventBody(event)
        const isDead = event && event.failed !== undefined
        return push(this.events, name.position, name.index, event?.line, event && (event.other ?? ''), isDead, body)
      }
      // The log records whose profile changed.
      case 'change':
        return
    }
  }

  /** Absent if there are no events. Then the batch is written in the same way as before there was an outbox. */
  get #ofEvents(): unknown[][] {
    const isNone = this.events[0]?.length === 0 && this.eventsCleared[0]?.length === 0
    return isNone ? [] : [...this.eventsCleared, ...this.events]
  }

  get all(): unknown[][] {
    return [
      ...this.users,
      ...this.relations,
      ...this.levelsCleared,
      ...this.levels,
      ...this.askedCleared,
      ...this.asked,
      ...this.documentsCleared,
      ...this.documents,
      ...this.erasures,
      ...this.revocations,
      ...this.#ofEvents,
    ]
  }
}

function push(columns: unknown[][], ...values: unknown[]): void {
  for (const [index, value] of values.entries()) columns[index]?.push(bytesOrValue(value))
}

/** The driver accepts bytes only as a Buffer. */
function bytesOrValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return value ?? null
}

/** Returns the call of `commit_batch` that writes a batch. Encodes it in slices. */
export async function callOf(batch: Batch): Promise<Statement> {
  const { node, id, changes, commits, draft, subjects, knownUpTo, run, reads } = batch
  const columns = new Columns(subjects)
  const turns = draft.turns(rowsInTurn)
  for (const removal of draft.removals()) {
    if (removal.kind === 'levels') push(columns.levelsCleared, removal.owner)
    else if (removal.kind === 'asked') push(columns.askedCleared, removal.viewer)
    else if (removal.kind === 'events') push(columns.eventsCleared, removal.about)
    else push(columns.documentsCleared, removal.user, documentNumbers[removal.document])
  }
  for (const write of draft.writes()) {
    columns.add(write)
    if (turns.isOver()) await turns.pass()
  }
  const readSet = await hashesOf(reads, turns)
  const writeSet = await hashesOf(writeSetOf(draft), turns)
  const known = Number.isFinite(knownUpTo) ? knownUpTo : 0
  const told = bytesOrValue(encodeCommits(commits, changes))
  const head = [node.id, node.key, id, bytesOrValue(run), known, commits.length, draft.nowMs, readSet, writeSet, told]
  const values = [...head, ...columns.all]
  return {
    name: `kith-commit-${values.length}`,
    text: `select * from commit_batch(${values.map((_, n) => `$${n + 1}`).join()})`,
    values,
  }
}

/** 64 bits of each name. If two names have the same hash, a batch is derived once more. */
async function hashesOf(names: Iterable<string>, turns: Turns): Promise<string[]> {
  const hashes = new Set<string>()
  for (const name of names) {
    hashes.add(createHash('sha1').update(name).digest().readBigInt64BE().toString())
    if (turns.isOver()) await turns.pass()
  }
  return [...hashes]
}
