import { type Mutant, mutant } from '../mutant.ts'

const courier = 'server/src/webhooks/courier.ts'
const lines = 'server/src/webhooks/lines.ts'
const receiver = 'server/src/webhooks/receiver.ts'
const own = 'server/src/relations/own-records.ts'
const derive = 'server/src/relations/derive.ts'
const tests = ['server/webhooks']
const faults = ['server/webhook-faults']
const contract = ['server/store']

/** Mistakes in events for the app's backend. */
export const webhookMutants: readonly Mutant[] = [
  mutant(own, 'this.#eventsRemoved.add(user)', '', {
    id: 'events-of-an-erased-account-stay',
    rules: ['D7'],
    what: 'Events of an erased account that are in the outbox are sent.',
    tests: contract,
    names: 'the outbox holds nothing',
  }),
  mutant(derive, "tellsWithdrawals: change.type !== 'erase'", 'tellsWithdrawals: true', {
    id: 'erasure-tells-contacts',
    rules: ['D7'],
    what: 'An erasure event reveals with which users the account had relations.',
    tests: contract,
    names: 'the outbox holds nothing',
  }),
  mutant('server/src/relations/event-room.ts', 'if (taken < this.#left) {', 'if (0 < this.#left) {', {
    id: 'one-user-fills-the-outbox',
    rules: ['S3'],
    what: 'While the receiver is down, the events of one user leave no room for those of other users.',
    tests: contract,
    names: 'no more than half',
  }),
  mutant('server/src/relations/events.ts', 'other: from, by: from, data', 'other: from, data', {
    id: 'message-counts-for-its-recipient',
    rules: ['S3'],
    what: "Undelivered messages use up the recipient's part of the outbox.",
    tests: contract,
    names: 'no more than half',
  }),
  mutant('server/src/relations/events.ts', ' || !isOfAccounts(view, accounts)', '', {
    id: 'message-of-the-former-holder-is-an-event',
    rules: ['D7'],
    what: 'The event of an undelivered message is written though an account of it was erased and its id is registered again.',
    tests: contract,
    names: 'an account that was erased since',
  }),
  mutant('server/src/relations/events.ts', " || messagingOf(view, widest) !== 'allowed'", '', {
    id: 'message-of-a-blocked-sender-is-an-event',
    rules: ['V1'],
    what: 'The event of an undelivered message is written though the recipient blocked the sender while the message waited.',
    tests: contract,
    names: 'may no longer reach the recipient',
  }),
  mutant(
    'server/src/socket/direct-messages.ts',
    '        if (accounts && !isOfAccounts(view as View, accounts)) return\n',
    '',
    {
      id: 'letter-reaches-the-next-holder',
      rules: ['D7'],
      what: 'A message on its way between two nodes is handed to the next holder of the recipient’s id.',
      tests: ['server/elsewhere'],
      names: 'next holder',
    },
  ),
  mutant(lines, '    if (line?.hasNews) this.add(user)\n', '', {
    id: 'event-during-the-last-read',
    rules: ['D4'],
    what: 'An event that is written while the last read finds nothing waits for the next start.',
    tests,
    names: 'while the last one is read',
  }),
  mutant(courier, "if (last === 'more') this.#lines.putBack(user)", "if (last === 'more') return", {
    id: 'row-of-events-is-the-last',
    rules: ['D4'],
    what: 'After 16 events of a user, the others wait for the next start.',
    tests,
    names: 'written before a restart',
  }),
  mutant(
    courier,
    '      await this.#load()\n      this.#isLoaded = this.#claim.isHeld',
    '      this.#isLoaded = true\n      await this.#load()',
    {
      id: 'failed-load-not-repeated',
      rules: ['D4'],
      what: 'Events that wait when the delivery begins are never sent if reading them fails once.',
      tests: faults,
      names: 'reading them failed once',
    },
  ),
  mutant(courier, '      await this.#removeDelivered(user)\n      const last', '      const last', {
    id: 'delivered-events-sent-while-the-disk-is-full',
    rules: ['D4'],
    what: 'Delivered events are sent again for as long as they cannot be removed.',
    tests: faults,
    names: 'their removal cannot be written',
  }),
  mutant(courier, 'clock.elapsed() < this.#outage', 'clock.now() < this.#outage', {
    id: 'outage-by-the-time-of-day',
    rules: ['D4'],
    what: 'A clock that is set back stops the delivery for as long.',
    tests: faults,
    names: 'the clock was set',
  }),
  mutant(
    'server/src/webhooks/patience.ts',
    'Math.min(this.#clock.now(), this.#begunWallMs + passedMs)',
    'this.#clock.now()',
    {
      id: 'clock-set-ahead-makes-dead-letters',
      rules: ['D4'],
      what: 'A clock that is set ahead by a day gives up all events that fail.',
      tests: faults,
      names: 'set ahead by a week',
    },
  ),
  mutant('server/src/webhooks/patience.ts', 'failingMs >= Math.min(leastTrialMs, this.#giveUpMs)', 'failingMs >= 0', {
    id: 'old-events-given-up-at-the-start',
    rules: ['D4'],
    what: 'After a day without the server, one failure gives up the events that waited.',
    tests: faults,
    names: 'old when the server starts',
  }),
  mutant(receiver, "redirect: 'manual'", "redirect: 'follow'", {
    id: 'redirect-followed',
    rules: ['D4'],
    what: 'An event is sent to the address to which the receiver redirects.',
    tests,
    names: 'a redirect is a failure',
  }),
  mutant(
    'server/src/accounts/backend-edits.ts',
    'await this.#turns.run(user, () => this.#attempts(user, document, change))',
    'await this.#attempts(user, document, change)',
    {
      id: 'edits-of-one-client-at-once',
      rules: ['R6'],
      what: 'Two edits of the backend that are made at the same time are treated as one.',
      tests: ['server/documents-api'],
      names: 'at the same time',
    },
  ),
  mutant('server/src/tokens.ts', 'if (!verified) throw new errors.JWTInvalid', 'if (!verified) throw new Error', {
    id: 'refused-token-counts-as-unchecked',
    rules: ['S1'],
    what: 'A token that the app refuses is treated as one that could not be checked.',
    tests: ['end-to-end/embedding'],
    names: 'Fastify',
  }),
]
