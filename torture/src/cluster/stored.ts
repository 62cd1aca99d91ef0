import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { serverProgram } from '@kith/bench/server-process'
import type { LocalPostgres } from '@kith/local-postgres'
import * as Y from 'yjs'
import { stateOf, users } from '../keys.ts'
import type { State } from '../ledger.ts'

/** Returns the contents of each user's documents, all from one state of the database. */
export async function statesIn(server: LocalPostgres): Promise<Map<string, State>> {
  const text = 'select id, name, update from document where id = any ($1) order by position'
  const docs = new Map(users.map(user => [user, [new Y.Doc(), new Y.Doc()] as const]))
  for (const { id, name, update } of await server.query(text, [users])) {
    // 0: the roster, 1: the profile.
    const doc = docs.get(id as string)?.[name as 0 | 1]
    if (doc) Y.applyUpdateV2(doc, new Uint8Array(update as Buffer))
  }
  return new Map([...docs].map(([user, [roster, profile]]) => [user, stateOf(roster, profile)]))
}

/** Runs a command of `kith-server` on the database. Returns its output, and whether it reported that all is well. */
export async function run(command: string, server: LocalPostgres): Promise<{ isWell: boolean; text: string }> {
  const env = { ...process.env, KITH_DATABASE_URL: server.url }
  return promisify(execFile)(process.execPath, [serverProgram, command], { env }).then(
    ({ stdout }) => ({ isWell: true, text: stdout }),
    (error: { stdout: string; stderr: string }) => ({ isWell: false, text: error.stdout + error.stderr }),
  )
}
