import { type Mutant, mutant } from '../mutant.ts'

const bus = 'server/src/bus'
const messages = 'server/src/socket/direct-messages.ts'
const watch = 'server/src/presence/subscription.ts'
const presence = 'server/src/presence/presence.ts'
const elsewhere = 'server/src/presence/elsewhere.ts'
const stays = 'server/src/store/postgres/stays.ts'
const tests = ['server/elsewhere']

/** Mistakes in the messages between nodes, and in how nodes process them. */
export const elsewhereMutants: readonly Mutant[] = [
  mutant(messages, 'if (!this.#mayReach(from, to, view as View)) return', '', {
    id: 'letter-not-checked-where-it-arrives',
    rules: ['V1', 'V4'],
    what: "A message from another node is handed over by the state that the sender's node had read.",
    tests,
    names: 'checks a message by its own state',
  }),
  mutant(
    messages,
    `    await this.#relay.reads.read(
      () => this.#store.views(from, [to]),`,
    `    await (async (read, handOver) => handOver(await read()))(
      () => this.#store.views(from, [to]),`,
    {
      id: 'letter-by-what-was-read-before',
      rules: ['V4'],
      what: 'A message from another node is handed over after a block was written during its check.',
      tests,
      names: 'keeps it back',
    },
  ),
  mutant(messages, 'if (!isAllowed) return outcome', '', {
    id: 'letter-of-a-blocked-sender',
    rules: ['V3', 'V10'],
    what: 'Messages of blocked senders are sent to the nodes of the users who block them.',
    tests,
    names: 'other nodes hear nothing',
  }),
  mutant(messages, "return (await outcome) === 'delivered'", 'return outcome !== undefined', {
    id: 'letter-taken-by-nobody',
    rules: ['V10'],
    what: 'A message counts as delivered when the other node has handed it over, though no device acknowledged it.',
    tests,
    names: 'no device on any node acknowledges',
  }),
  mutant(watch, 'if (isOnlineElsewhere || presence.isOnline(owner))', 'if (presence.isOnline(owner))', {
    id: 'presence-of-this-node-alone',
    rules: ['V8'],
    what: 'An owner whose devices are on another node is offline.',
    tests,
    names: 'came on another node, and left',
  }),
  mutant(watch, 'one.isStirred = true', '', {
    id: 'stir-during-a-read',
    rules: ['V8'],
    what: 'A viewer is not notified that an owner connected to another node while the presence was being read.',
    tests,
    names: 'while that is being read',
  }),
  mutant(elsewhere, 'this.#bus.onGap(() => this.#reread())', '', {
    id: 'gap-without-a-read',
    rules: ['V8'],
    what: 'Messages that were sent while the connection between nodes was lost are noticed half a minute late.',
    tests,
    names: 'a lost connection is made up for',
  }),
  mutant(elsewhere, 'await this.stays.again()', '', {
    id: 'stays-lost-with-the-primary',
    rules: ['V8'],
    what: 'After the promotion of a standby, users on other nodes are shown as offline until their nodes next report them.',
    tests,
    names: 'if their stays were lost with it',
  }),
  mutant(elsewhere, 'if (before[index] !== online.has(owner)) this.#subscriptions.stir(owner)', '', {
    id: 'lost-stir',
    rules: ['V8'],
    what: 'A viewer never receives the notice that a lost message between nodes contained.',
    tests,
    names: 'a lost message between nodes',
  }),
  mutant(
    presence,
    'const gone = this.elsewhere ? await this.#goneEverywhere(this.elsewhere, some) : some',
    'const gone = some',
    {
      id: 'seen-though-online-elsewhere',
      rules: ['V8'],
      what: 'A user who left one node is recorded as last seen, though a device of the user is on another node.',
      tests,
      names: 'not noted as seen',
    },
  ),
  mutant(
    `${bus}/envelope.ts`,
    'if (!timingSafeEqual(bytes.subarray(1, headBytes), tagOf(key, subject, body))) {',
    'if (key.length === 0) {',
    {
      id: 'forged-message-between-nodes',
      rules: ['V1'],
      what: 'A message between nodes is accepted from any sender.',
      tests: ['server/bus'],
      names: 'of one process.*refused with a clear error',
    },
  ),
  mutant(`${bus}/envelope.ts`, 'if (bytes[0] !== version) {', 'if (bytes.length === 0) {', {
    id: 'message-of-another-version',
    rules: ['F1'],
    what: 'A message of another version is treated as a forged one.',
    tests: ['server/bus'],
    names: 'of one process.*refused with a clear error',
  }),
  mutant(`${bus}/message-bus.ts`, 'if (waiting?.node !== envelope.from) return', 'if (!waiting) return', {
    id: 'answer-of-another-node',
    rules: ['V10'],
    what: 'Any node can answer a request that was sent to another node.',
    tests: ['server/bus'],
    names: 'of one process.*alone',
  }),
  mutant(`${bus}/postgres-carrier.ts`, 'if (this.#held === 0 && inline !== undefined)', 'if (inline !== undefined)', {
    id: 'small-message-before-a-large-one',
    rules: ['V6'],
    what: 'A message between nodes overtakes a larger one that is still being read.',
    tests: ['server/bus'],
    names: 'over PostgreSQL.*in their order among small ones',
  }),
  mutant(
    `${bus}/postgres-carrier.ts`,
    'if (isConnectionLost(error)) void endConnection(client)',
    'if (isConnectionLost(error)) return',
    {
      id: 'silent-connection-between-nodes',
      rules: ['V8'],
      what: 'Messages between nodes stop when the machine of the database disappears without closing its connections.',
      tests: ['server/postgres-upkeep'],
      names: 'messages between nodes go on',
      isSeenByWaiting: true,
    },
  ),
  mutant('server/src/store/postgres/open.ts', 'return shared.close()', 'return database.close()', {
    id: 'open-after-a-failed-start',
    rules: ['D1'],
    what: 'A node that cannot join the others keeps a connection open, and its process continues uselessly.',
    tests: ['server/postgres-upkeep'],
    names: 'leaves no connection open',
  }),
  mutant(`${bus}/postgres-carrier.ts`, 'const number = ++this.#sent', 'const number = 1', {
    id: 'equal-messages-once',
    rules: ['F1'],
    what: 'If equal messages between nodes are sent in one statement, only one arrives.',
    tests: ['server/bus'],
    names: 'over PostgreSQL.*equal messages',
    isSeenByWaiting: true,
  }),
  mutant(stays, '      this.#retryBeat()\n    })\n  }', '    })\n  }', {
    id: 'late-after-an-outage',
    rules: ['V8'],
    what: 'A node that could not report its presence reports it only when the next report is due.',
    tests: ['server/postgres-stays'],
    names: 'as soon as it answers',
  }),
  mutant(stays, 'if (!(await this.#port?.died(gone)) || this.#isClosed) return', 'await this.#port?.died(gone)', {
    id: 'removed-before-last-seen-is-noted',
    rules: ['V8'],
    what: 'A node that ended is removed although the last-seen times of its users could not be recorded.',
    tests: ['server/postgres-stays'],
    names: 'if one node cannot note it',
  }),
  mutant(stays, 'if (beganAtMs < this.#reapsAtMs) return', '', {
    id: 'gone-since-the-database-was-away',
    rules: ['V8'],
    what: 'The first node that reaches the database again treats the users of all other nodes as gone.',
    tests: ['server/postgres-stays'],
    names: 'after a database that was away',
  }),
  mutant(
    stays,
    "if ((await this.#rows('beat', lateMs)).length === 0) await this.#attend()",
    "await this.#rows('beat', lateMs)",
    {
      id: 'stays-that-were-lost',
      rules: ['V8'],
      what: 'After a failover, which empties the table, the users of a node are shown as offline until they reconnect.',
      tests: ['server/postgres-stays'],
      names: 'lost the table',
      isSeenByWaiting: true,
    },
  ),
  mutant(stays, "await this.#inTurn(() => this.#rows('leaving', users))", '', {
    id: 'left-by-nobody',
    rules: ['V8'],
    what: 'If a user leaves two nodes at the same time, each node assumes that the other one records it.',
    tests: ['server/postgres-stays'],
    names: 'leaves at the same time',
  }),
  mutant(
    'server/src/socket/sign-in.ts',
    'const count = relay.sessionsOf(user).size + signIn.sessionsElsewhere',
    'const count = relay.sessionsOf(user).size',
    {
      id: 'connections-of-one-node',
      rules: ['S3'],
      what: 'A user may have the total number of connections on each node, instead of on all nodes together.',
      tests: ['server/sign-in-race'],
      names: 'counted over all nodes',
    },
  ),
  mutant('server/src/store/postgres/connect.ts', 'client.connection.stream.destroy()', 'undefined', {
    id: 'goodbye-to-nobody',
    rules: ['V8'],
    what: "After a failover from a machine that disappeared without closing its connections, nodes do not receive each other's messages for a quarter of an hour.",
    tests: ['server/postgres-upkeep'],
    names: 'hold up no closing',
  }),
]
