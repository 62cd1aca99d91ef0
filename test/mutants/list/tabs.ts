import { type Mutant, mutant } from '../mutant.ts'

const messages = 'client/src/sync/direct-messages.ts'
const pulse = 'client/src/tabs/pulse.ts'
const shared = 'client/src/tabs/shared-link.ts'

/** What would go wrong between tabs of which one stands still, with tokens, direct messages and clocks that are set. */
export const tabMutants: readonly Mutant[] = [
  mutant(shared, "silent: () => this.#show('offline'),", 'silent: () => undefined,', {
    id: 'silent-holder-still-synced',
    rules: ['F1'],
    what: 'A tab keeps showing the status from before the leader stood still.',
    tests: ['client/standstill'],
    names: 'tab without an answer from',
  }),
  mutant(shared, 'takeOver: () => this.#requestLock(true),', 'takeOver: () => undefined,', {
    id: 'holder-never-replaced',
    rules: ['F1', 'V6'],
    what: 'No tab takes over from a leader that stands still, so a block stays unsent.',
    tests: ['client/standstill'],
    names: 'tab without an answer from',
  }),
  mutant(shared, 'leading?.own.end(steppedDown)', '', {
    id: 'old-holder-goes-on',
    rules: ['V6'],
    what: 'A tab that was replaced while it stood still keeps its connection.',
    tests: ['client/standstill'],
    names: '\\[V6\\]',
  }),
  mutant(
    'client/src/tabs/guarded-socket.ts',
    'if (this.#waiting.length === 0 && this.#lease.isCertain) return act()',
    'if (this.#waiting.length === 0) return act()',
    {
      id: 'socket-not-guarded',
      rules: ['V6', 'V7'],
      what: 'A tab that stood still handles and sends frames before it knows whether it was replaced.',
      tests: ['client/pulse'],
      names: 'socket',
    },
  ),
  mutant(
    'client/src/tabs/guarded-socket.ts',
    'if (!(await this.#lease.verify())) this.#waiting = []',
    'await this.#lease.verify()',
    {
      id: 'replaced-tab-sends-what-waited',
      rules: ['V6'],
      what: 'What waited at the socket of a tab that was replaced is sent all the same.',
      tests: ['client/pulse'],
      names: 'dropped',
    },
  ),
  mutant('client/src/tabs/fence.ts', 'if (isOut) throw new SteppedDown()', '', {
    id: 'store-not-fenced',
    rules: ['V7'],
    what: 'What a replaced tab still had in hand is stored over what the newer connection stored.',
    tests: ['client/fence'],
  }),
  mutant(pulse, 'Math.min(nowMs - this.#tickedAt, mostCountedMs)', 'nowMs - this.#tickedAt', {
    id: 'late-tab-counts-its-own-sleep',
    rules: ['F1'],
    what: 'A tab that stood still itself takes over from a healthy leader.',
    tests: ['client/pulse'],
    names: 'stood still itself',
  }),
  mutant('client/src/api/shown.ts', "this.#linkStatus === 'synced' && this.store.unsent > 0", 'false', {
    id: 'synced-with-unsent-changes',
    rules: ['D2'],
    what: 'The status is synced while changes are on no server.',
    tests: ['client/standstill'],
    names: 'tab without an answer from',
  }),
  mutant('client/src/tabs/requests.ts', "if (row.isBegun) return 'say'", '', {
    id: 'message-begun-twice',
    rules: ['S1'],
    what: 'A message that one tab had begun to send is sent by the next one too.',
    tests: ['client/tabs'],
    names: 'not sent again',
  }),
  mutant(
    messages,
    "if (sending.isWritten) return sending.end('unconfirmed')",
    "if (sending.isWritten) return sending.end('undelivered')",
    {
      id: 'unanswered-is-undelivered',
      rules: ['V8'],
      what: 'A message that was sent and not answered for counts as undelivered, though it may have arrived.',
      tests: ['client/messages'],
      names: 'after 10 s',
    },
  ),
  mutant(messages, 'sending.isWritten = false\n', '\n', {
    id: 'refused-message-not-sent-again',
    rules: ['S3'],
    what: 'A message that the server had no room for is never tried again.',
    tests: ['client/messages'],
    names: 'refused message is sent again',
  }),
  mutant('client/src/sync/message-rate.ts', 'this.#left--', '', {
    id: 'message-flood',
    rules: ['S3'],
    what: 'A device sends more messages than the server accepts, which ends its session.',
    tests: ['client/messages'],
    names: 'clock that is set back',
  }),
  mutant('client/src/sync/rate-limiter.ts', 'const now = this.#clock.elapsed()', 'const now = this.#clock.now()', {
    id: 'pace-by-the-wall-clock',
    rules: ['S3'],
    what: 'A clock that is set back an hour keeps a device from sending for an hour.',
    tests: ['client/set-clock'],
  }),
  mutant('client/src/sync/token-renewal.ts', 'expiresAt - (issuedAt ?? nowMs)', 'expiresAt - nowMs', {
    id: 'lifetime-by-the-local-clock',
    rules: ['S1'],
    what: 'A device whose clock is two hours ahead renews its token again and again.',
    tests: ['client/tokens'],
    names: 'ms off',
  }),
  mutant('client/src/token.ts', ': askForToken(source, clock)', ': source()', {
    id: 'token-awaited-for-ever',
    rules: ['F1'],
    what: 'A token function that never settles leaves the device connecting for ever.',
    tests: ['client/tokens'],
    names: 'never settles is unavailable',
    isSeenByWaiting: true,
  }),
  mutant('client/src/sync/connection-manager.ts', 'this.#waiters.stop(error)', '', {
    id: 'synced-awaited-in-vain',
    rules: ['D2'],
    what: 'whenSynced waits for ever though the server refused the only token.',
    tests: ['client/tokens'],
    names: 'whenSynced rejects',
    isSeenByWaiting: true,
  }),
  mutant(
    'client/src/user.ts',
    "if (typeof options.token === 'string' && named === undefined && subject === undefined)",
    'if (false)',
    {
      id: 'garbage-opens-the-last-visitor',
      rules: ['V3'],
      what: 'Any string as a token opens the data of the last user.',
      tests: ['client/tokens'],
      names: 'only a token function',
    },
  ),
  mutant('server/src/socket/expiry.ts', 'if (laterMs > 0) this.#expireIn(laterMs)', 'if (laterMs > 0) return', {
    id: 'long-session-never-ends',
    rules: ['S1'],
    what: 'A session whose token lasts more than a day never ends.',
    tests: ['server/set-clock'],
  }),
]
