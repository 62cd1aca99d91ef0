import type { Access, Difference, Profile } from '@kith/shared/wire'
import { isolated } from '../isolation.ts'
import { details, few, levelsText, valueText } from './phrases.ts'
import { nameOf, type Who, type Words, whose } from './told.ts'

/** Describes what a device receives of others, and remembers the levels, so that a loss can be described. */
export class Feed {
  readonly #who: Who
  readonly #levelsByOwner: Map<string, readonly number[]> = new Map()
  /** Whether every user who is not remembered shows nothing. This is unknown if recording began in the middle. */
  #knowsAll = false

  constructor(who: Who) {
    this.#who = who
  }

  /** The server begins the feed: from the start, or with what changed since the device was last connected. */
  begin(isFresh: boolean): void {
    if (!isFresh) return
    this.#levelsByOwner.clear()
    this.#knowsAll = true
  }

  fetch(owner: string): Words {
    return this.#words(`${this.#who.device} asks to see ${nameOf(this.#who, owner)}`)
  }

  access({ owner, levels, isWaiting, hasJustJoined, isFetched, changedHands }: Access): Words {
    const name = nameOf(this.#who, owner)
    const before = this.#levelsByOwner.get(owner)
    this.#levelsByOwner.set(owner, levels)
    const joined = hasJustJoined ? `${name} has joined. ` : ''
    const waiting = isWaiting ? '; the follow waits, beyond a limit' : ''
    const isUnknown = before === undefined && !this.#knowsAll
    const now = isUnknown && levels.length === 0 ? 'nothing; withdrew what it had' : seen(before ?? [], levels)
    const checked = `The server checked what ${this.#who.device} may see of ${name}: ${now}`
    const fetched = isFetched ? ['As long as this session lasts, since the device asked'] : []
    const hands = changedHands === undefined ? '' : handsWords(this.#who, owner)
    return this.#words(`${joined}${checked}${waiting}${hands}`, fetched)
  }

  profile({ owner, level, fields }: Profile): Words {
    const names = Object.keys(fields).map(isolated)
    const what = `${this.#who.device} got ${whose(this.#who, owner)} level ${level}`
    if (names.length === 0) return this.#words(`${what}: no fields`)
    return this.#words(`${what}: ${few(names)}`, valuesIn(fields))
  }

  difference({ owner, level, fields, removed }: Difference): Words {
    const [names, gone] = [Object.keys(fields).map(isolated), removed.map(isolated)]
    const what = `${this.#who.device} got what changed of ${whose(this.#who, owner)} level ${level}`
    const parts = [...(names.length > 0 ? [few(names)] : []), ...(gone.length > 0 ? [`no longer ${few(gone)}`] : [])]
    return this.#words(`${what}: ${parts.join('; ') || 'nothing'}`, valuesIn(fields))
  }

  caughtUp(): Words {
    return this.#words(`${this.#who.device} now has all that it may see of others, and a bookmark to go on from`)
  }

  #words(text: string, detail: readonly string[] = []): Words {
    return { kind: 'feed', text, ...(detail.length > 0 && { detail }) }
  }
}

function valuesIn(fields: Profile['fields']): readonly string[] {
  const values = Object.entries(fields).map(([name, value]) => `${isolated(name)}: ${valueText(value)}`)
  return values.length > 3 ? details([{ title: 'fields', items: values }]) : values
}

function handsWords(who: Who, owner: string): string {
  return `. The account of ${nameOf(who, owner)} was erased: what this roster gives to that id does not count until it is confirmed`
}

function seen(before: readonly number[], now: readonly number[]): string {
  const lost = before.filter(level => !now.includes(level))
  const gained = now.filter(level => !before.includes(level))
  const kept = now.filter(level => before.includes(level))
  if (before.length === 0) return now.length === 0 ? 'nothing' : levelsText(now)
  return [
    ...(lost.length > 0 ? [`${levelsText(lost)} no longer; withdrew ${lost.length === 1 ? 'it' : 'them'}`] : []),
    ...(gained.length > 0 ? [`now ${levelsText(gained)}`] : []),
    ...(kept.length > 0 ? [`still ${levelsText(kept)}`] : []),
    ...(now.length === 0 ? ['nothing is left'] : []),
  ].join('; ')
}
