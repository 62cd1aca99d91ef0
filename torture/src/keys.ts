import { contactFacts, type Fields, flatMapsOf, namedUsers, profileFields, rosterSettings } from '@kith/shared'
import type * as Y from 'yjs'

/**
 * The users of the test. Each has the same number of devices. Each device edits keys of its own, so that its promises are
 * exact. It also edits keys that it shares with its user's other devices; these only need to converge.
 */
export const users: readonly string[] = ['ada', 'bob', 'cai', 'dee', 'eli', 'fay']
export const devicesPerUser = 2

/** The entries of a roster about one user: everything that an edit can change. */
export interface Facts {
  isContact: boolean
  levels: readonly number[]
  isSubscribed: boolean
  isDeclined: boolean
  isBlocked: boolean
  label: string
}

export const noFacts: Facts = {
  isContact: false,
  levels: [],
  isSubscribed: false,
  isDeclined: false,
  isBlocked: false,
  label: '',
}

export function fieldKey(level: number, name: string): string {
  return `field ${level} ${name}`
}

export function contactKey(id: string): string {
  return `contact ${id}`
}

export const audienceKey = 'audience'

/** Encodes facts as text, in a fixed order; `undefined` if there are none. */
export function encodeFacts(facts: Facts): string | undefined {
  const { isContact, levels, isSubscribed, isDeclined, isBlocked, label } = facts
  const text = JSON.stringify({ isContact, levels, isSubscribed, isDeclined, isBlocked, label })
  return text === nothing ? undefined : text
}

const nothing = JSON.stringify(noFacts)

export function decodeFacts(text: string | undefined): Facts {
  return text === undefined ? noFacts : (JSON.parse(text) as Facts)
}

/** Returns the whole contents of a user's documents, by key. */
export function stateOf(roster: Y.Doc, profile: Y.Doc): Map<string, string> {
  const state = new Map<string, string>()
  const view = flatMapsOf(roster)
  for (const [id, facts] of contactFacts(view, namedUsers(view))) {
    const text = encodeFacts({ ...facts, label: (view.get('labels', id) as string | undefined) ?? '' })
    if (text !== undefined) state.set(contactKey(id), text)
  }
  const { audience } = rosterSettings(view)
  if (audience !== 'everyone') state.set(audienceKey, audience)
  addFields(state, profileFields(flatMapsOf(profile)))
  return state
}

export function addFields(state: Map<string, string>, fields: ReadonlyMap<number, Fields>): void {
  for (const [level, named] of fields) {
    for (const [name, value] of Object.entries(named)) state.set(fieldKey(level, name), JSON.stringify(value))
  }
}

/** Returns the user's only device that writes this key; `undefined` if all of them write it. */
export function writerOf(user: string, key: string): number | undefined {
  if (key === audienceKey) return 0
  const name = key.slice(key.lastIndexOf(' ') + 1)
  const peer = users.filter(other => other !== user).indexOf(name)
  if (peer >= 0) return peer % devicesPerUser
  const own = /^device(\d+)-/.exec(name)
  return own ? Number(own[1]) : undefined
}
