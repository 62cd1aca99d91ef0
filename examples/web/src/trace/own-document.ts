import { profileFields, profileRoot, rosterRoots } from '@kith/shared'
import { type Fact, profileFacts, rosterFacts } from './facts.ts'
import { count, details, type Group, phrase } from './phrases.ts'
import { profileGroups } from './profile-words.ts'
import type { Direction } from './recording-socket.ts'
import { rosterGroups } from './roster-words.ts'
import { Shadow, type Taken } from './shadow.ts'
import { nameOf, type Who, type Words, whose } from './told.ts'

interface SyncMessage {
  step: 'step1' | 'step2' | 'update'
  payload: Uint8Array
}

interface Found {
  groups: readonly Group[]
  values: readonly string[]
  facts: readonly Fact[]
}

/** The requests of a device without data; of one that reconnects; of one that rebuilds on the server's state. */
type Question = 'first' | 'missing' | 'anew'

/** Describes how a device and the server exchange one of the user's own documents. */
export class OwnDocument {
  readonly #kind: 'roster' | 'profile'
  readonly #who: Who
  readonly #title: string
  readonly #shadow: Shadow
  /** The unanswered requests of the device in this session. */
  #asked: Question[] = []
  #hasAsked = false

  constructor(kind: 'roster' | 'profile', who: Who) {
    this.#kind = kind
    this.#who = who
    this.#title = `${whose(who, who.user)} ${kind === 'roster' ? 'roster' : 'own profile'}`
    this.#shadow = new Shadow(kind === 'roster' ? rosterRoots : [profileRoot])
  }

  /** A new session begins: requests of the previous one get no answer. */
  begin(): void {
    this.#asked = []
    this.#hasAsked = false
  }

  tell(direction: Direction, message: SyncMessage): Words {
    if (message.step === 'step1') return this.#words(this.#question(direction, message.payload))
    const isAnswer = message.step === 'step2'
    const question = direction === 'received' && isAnswer ? this.#asked.shift() : undefined
    const found = this.#take(message.payload, isAnswer, question === 'anew')
    if (!found) return { kind: 'problem', text: `${this.#frame(direction)} bytes that are no update of ${this.#title}` }
    const said = phrase(found.groups)
    const text = direction === 'sent' ? this.#sent(said, message) : this.#received(said, isAnswer, question)
    return { ...this.#words(text, [...details(found.groups), ...found.values]), facts: found.facts }
  }

  #question(direction: Direction, stateVector: Uint8Array): string {
    if (direction === 'received') return `The server asks ${this.#who.device} what it lacks of ${this.#title}`
    const { device } = this.#who
    const isAll = stateVector.length === 1
    const question = !isAll ? 'missing' : this.#hasAsked ? 'anew' : 'first'
    this.#hasAsked = true
    this.#asked.push(question)
    switch (question) {
      case 'first':
        this.#shadow.forget()
        return `${device} has nothing yet, and asks for all of ${this.#title}`
      case 'missing':
        return `${device} asks what it missed of ${this.#title}`
      case 'anew':
        return `${device} asks for all of ${this.#title}, to begin anew with what the server has`
    }
  }

  #sent(said: string, { step, payload }: SyncMessage): string {
    const { device } = this.#who
    if (said !== '') return `${device} sent ${step === 'step2' ? 'what the server lacked: ' : ''}${said}`
    if (isNothing(payload)) return `${device} has nothing of ${this.#title} that the server lacks`
    return `${device} sent nothing new of ${this.#title}`
  }

  #received(said: string, isAnswer: boolean, question: Question | undefined): string {
    const { device, user } = this.#who
    if (!isAnswer) {
      const others = `from another of ${whose(this.#who, user)} devices`
      return `${device} got ${said === '' ? 'nothing new' : said} ${others}`
    }
    if (question === 'anew') {
      return `${device} took the server’s state of ${this.#title}${said === '' ? ', which is as its own' : `: ${said}`}`
    }
    if (said !== '') return `${device} caught up: ${said}`
    return question === 'first'
      ? `The server has nothing yet of ${this.#title}`
      : `${device} has missed nothing of ${this.#title}`
  }

  #take(update: Uint8Array, isAnswer: boolean, isNew: boolean): Found | undefined {
    const before = this.#kind === 'profile' ? profileFields(this.#shadow.maps) : new Map()
    let taken: Taken
    try {
      taken = isNew ? this.#shadow.replace(update) : this.#shadow.take(update)
    } catch {
      return undefined
    }
    const { changes } = taken
    const { maps } = this.#shadow
    if (this.#kind === 'roster') {
      const groups = rosterGroups(changes, maps, user => nameOf(this.#who, user))
      return { groups: [...groups, ...unreadGroups(taken, isAnswer)], values: [], facts: rosterFacts(changes) }
    }
    const after = profileFields(maps)
    const { groups, values } = profileGroups(before, after)
    return { groups: [...groups, ...unreadGroups(taken, isAnswer)], values, facts: profileFacts(before, after) }
  }

  #frame(direction: Direction): string {
    return `${this.#who.device} ${direction === 'sent' ? 'sent' : 'got'}`
  }

  #words(text: string, detail: readonly string[] = []): Words {
    return { kind: this.#kind, text, ...(detail.length > 0 && { detail }) }
  }
}

/** An answer contains all removals of the document's history, which are therefore ignored. */
function unreadGroups({ unreadable, removals }: Taken, isAnswer: boolean): Group[] {
  const number = Math.max(unreadable, isAnswer ? 0 : removals) // A value that replaces another one removes it.
  if (number === 0) return []
  return [{ title: count(number, 'change'), items: ['of what stood there before the telling began'] }]
}

/** Whether the update is empty. */
function isNothing(update: Uint8Array): boolean {
  return update.length === 2 && update[0] === 0 && update[1] === 0
}
