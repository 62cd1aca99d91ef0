import { type FlatMaps, parseNonceKey, rosterSettings } from '@kith/shared'
import type { PresenceState } from '@kith/shared/wire'
import { few, type Group } from './phrases.ts'
import type { KeyChanged } from './shadow.ts'
import { nameOf, type Who, type Words } from './told.ts'

/** A device lists the users whose presence it wants from now on. */
export function watchWords(who: Who, owners: readonly string[]): Words {
  if (owners.length === 0) return { kind: 'feed', text: `${who.device} asks no more who is online` }
  const names = owners.map(owner => nameOf(who, owner))
  return { kind: 'feed', text: `${who.device} asks to be told who is online: ${few(names)}` }
}

export function presenceWords(who: Who, owner: string, state: PresenceState): Words {
  const told = `${who.device} was told of ${nameOf(who, owner)}`
  switch (state.is) {
    case 'unknown':
      return { kind: 'feed', text: `${told}: nothing that it may know` }
    case 'online':
      return { kind: 'feed', text: `${told}: online` }
    case 'offline': {
      const { lastSeenMinute } = state
      if (lastSeenMinute === undefined) return { kind: 'feed', text: `${told}: offline` }
      return { kind: 'feed', text: `${told}: offline, last seen ${dateText(lastSeenMinute)}` }
    }
  }
}

/** Whether a key of a roster's privacy hides presence: it is not an audience. */
export function isHidingPresence({ key }: KeyChanged): boolean {
  return parseNonceKey(key)?.name === 'hidePresence'
}

export function hidingGroups(privacy: readonly KeyChanged[], after: FlatMaps): Group[] {
  if (!privacy.some(isHidingPresence)) return []
  return [{ title: rosterSettings(after).hidesPresence ? 'presence: hidden' : 'presence: shown', items: [] }]
}

/** Returns words for any minute, even one beyond all dates. */
function dateText(minute: number): string {
  const date = new Date(minute * 60_000)
  return Number.isNaN(date.getTime()) ? 'at no date' : date.toISOString().slice(0, 16).replace('T', ' ')
}
