import type { Change } from '@kith/server'
import { applyChanges, contactFacts, flatMapsOf, namedUsers, profileFields, rosterSettings } from '@kith/shared'
import { encodeFields } from '@kith/shared/wire'
import * as Y from 'yjs'
import type { Step } from './population.ts'

type DocumentsChange = Extract<Change, { type: 'documents' }>

/**
 * The Yjs client of the only device of each user. It is fixed, so that the written bytes are the same for each device that
 * writes them.
 */
export const clientOf = { roster: 1_000_001, profile: 1_000_002 } as const

/** An empty document of a device of the population. */
export function newDocument(name: keyof typeof clientOf): Y.Doc {
  // The guid of the document is not used, and generating a random one takes longer than the rest of the document.
  const doc = new Y.Doc({ guid: name })
  doc.clientID = clientOf[name]
  return doc
}

/** Returns the change that a server commits when a device does a step, which is its first step in that document. */
export function changeOf(step: Step): DocumentsChange {
  const change = { type: 'documents', user: step.user, registers: step.part === 'joins' } as const
  if (step.part === 'joins') return change
  const doc = newDocument(step.part)
  applyChanges(doc, step.changes)
  const update = Y.encodeStateAsUpdateV2(doc)
  const view = flatMapsOf(doc)
  if (step.part === 'profile') {
    const levels = new Map([...profileFields(view)].map(([level, fields]) => [level, encodeFields(fields)]))
    return { ...change, profile: { update, levels } }
  }
  const facts = contactFacts(view, namedUsers(view))
  return { ...change, roster: { update, facts, settings: rosterSettings(view) } }
}
