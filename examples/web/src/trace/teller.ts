import { decodeFrame, type Frame } from '@kith/shared/wire'
import { Barriers } from './barriers.ts'
import { Feed } from './feed.ts'
import { Messages } from './messages.ts'
import { OwnDocument } from './own-document.ts'
import { presenceWords, watchWords } from './presence-words.ts'
import type { Direction, Happening } from './recording-socket.ts'
import {
  closedWords,
  failureWords,
  helloWords,
  openedWords,
  refusedWords,
  renewWords,
  welcomeWords,
} from './session-words.ts'
import type { Told, Who, Words } from './told.ts'

/**
 * Describes in words what happens on the wire of one device. It remembers earlier events, so it knows what changed. There is
 * one teller per device, over all its connections. Any bytes give some words.
 */
export class Teller {
  readonly #who: Who
  readonly #roster: OwnDocument
  readonly #profile: OwnDocument
  readonly #feed: Feed
  readonly #barriers: Barriers
  readonly #messages: Messages

  constructor(who: Who) {
    this.#who = who
    this.#roster = new OwnDocument('roster', who)
    this.#profile = new OwnDocument('profile', who)
    this.#feed = new Feed(who)
    this.#barriers = new Barriers(who)
    this.#messages = new Messages(who)
  }

  tell(happening: Happening): Told {
    switch (happening.type) {
      case 'opened':
        for (const part of [this.#roster, this.#profile, this.#barriers, this.#messages]) part.begin()
        return { ...openedWords(this.#who), bytes: 0 }
      case 'frame':
        return { ...this.#frame(happening), bytes: happening.bytes.length }
      case 'closed':
        return { ...closedWords(this.#who, happening.code, happening.reason), bytes: 0 }
    }
  }

  #frame({ direction, bytes, update }: Extract<Happening, { type: 'frame' }>): Words {
    const frame = decodeFrame(bytes)
    if (frame.type === 'deflatedRoster' && update)
      return this.#roster.tell(direction, { step: frame.step, payload: update })
    if (frame.type !== 'malformed') return this.#message(direction, frame)
    const verb = direction === 'sent' ? 'sent' : 'got'
    return { kind: 'problem', text: `${this.#who.device} ${verb} bytes that are no message: ${frame.what}` }
  }

  #message(direction: Direction, message: Frame): Words {
    const who = this.#who
    switch (message.type) {
      case 'rosterSync':
        return this.#roster.tell(direction, message)
      case 'ownProfile':
        return this.#profile.tell(direction, message)
      case 'deflatedRoster':
        return { kind: 'problem', text: `${who.device} sent a compressed change of its roster that cannot be read` }
      case 'awareness':
        return { kind: 'keepalive', text: `${direction === 'sent' ? who.device : 'The server'} says: I am still here` }
      case 'queryAwareness':
        return { kind: 'keepalive', text: `${who.device} asks whether the server is still there` }
      case 'hello':
        return helloWords(who, message)
      case 'welcome':
        this.#feed.begin(message.isFresh)
        return welcomeWords(who, message)
      case 'renew':
        return renewWords(who)
      case 'barrier':
        return this.#barriers.asked(message.id, message.withFeed)
      case 'reached':
        return this.#barriers.answered(message.id, message.isComplete)
      case 'refused':
        return refusedWords(who, message.document, message.code)
      case 'failure':
        return failureWords(who, message)
      case 'fetch':
        return this.#feed.fetch(message.owner)
      case 'access':
        return this.#feed.access(message)
      case 'profile':
        return this.#feed.profile(message)
      case 'difference':
        return this.#feed.difference(message)
      case 'caughtUp':
        return this.#feed.caughtUp()
      case 'watch':
        return watchWords(who, message.owners)
      case 'presence':
        return presenceWords(who, message.owner, message.state)
      case 'sendMessage':
        return this.#messages.sent(message)
      case 'message':
        return this.#messages.got(message)
      case 'received':
        return this.#messages.taken(message.from)
      case 'outcome':
        return this.#messages.outcome(message)
    }
  }
}
