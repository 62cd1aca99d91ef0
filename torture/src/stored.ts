import { cp, rm } from 'node:fs/promises'
import {
  check,
  DamagedFolderError,
  DataFolderError,
  openLevelDatabase,
  openLevelStore,
  systemClock,
} from '@kith/server'
import { defaultLimits } from '@kith/shared'
import * as Y from 'yjs'
import { stateOf, users } from './keys.ts'

/** The result of examining a data folder that its server left. */
export type Found =
  | {
      state: 'served'
      /** The findings of `check`; empty if there are none. */
      findings: string[]
      /** The contents of each user's documents. */
      states: ReadonlyMap<string, ReadonlyMap<string, string>>
    }
  /** The folder is damaged, and no server would start on it. */
  | { state: 'refused'; why: string[] }

/**
 * Examines a copy, so that the server itself still recovers the state after the kill. Uses another copy if that is damaged
 * first.
 */
export async function examine(folder: string, harm?: (copy: string) => void): Promise<Found> {
  const copy = harm ? `${folder}-harmed` : `${folder}-copy`
  await rm(copy, { recursive: true, force: true })
  await cp(folder, copy, { recursive: true })
  harm?.(copy)
  try {
    return { state: 'served', findings: await findingsIn(copy), states: await statesIn(copy) }
  } catch (error) {
    if (!(error instanceof DataFolderError)) throw error
    const damages = error instanceof DamagedFolderError ? error.damages : []
    return {
      state: 'refused',
      why: [error.message, ...damages.map(({ file, what, lost }) => `${file} ${what}: ${lost}`)],
    }
  }
}

async function findingsIn(folder: string): Promise<string[]> {
  const database = await openLevelDatabase(folder, true)
  const { findings } = await check(database)
  await database.close()
  return findings.map(({ user, what }) => `check: ${user}: ${what}`)
}

async function statesIn(folder: string): Promise<Map<string, ReadonlyMap<string, string>>> {
  const store = await openLevelStore(folder, { limits: defaultLimits, clock: systemClock })
  const states = new Map<string, ReadonlyMap<string, string>>()
  for (const user of users) {
    const [roster, profile] = await Promise.all([store.document(user, 'roster'), store.document(user, 'profile')])
    states.set(user, stateOf(documentOf(roster.parts), documentOf(profile.parts)))
  }
  await store.close()
  return states
}

function documentOf(parts: readonly Uint8Array[]): Y.Doc {
  const doc = new Y.Doc()
  for (const part of parts) Y.applyUpdateV2(doc, part)
  return doc
}
