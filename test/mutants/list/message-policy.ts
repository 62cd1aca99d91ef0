import { type Mutant, mutant } from '../mutant.ts'

const messages = 'server/src/socket/direct-messages.ts'
const tests = ['server/message-policy']

/**
 * Mistakes in whose messages reach a user: the user's own choice, which the backend may make, and the operator's widest
 * audience.
 */
export const messagePolicyMutants: readonly Mutant[] = [
  mutant(
    'shared/src/visibility.ts',
    'audiences.indexOf(a) > audiences.indexOf(b)',
    'audiences.indexOf(a) < audiences.indexOf(b)',
    {
      id: 'wider-message-policy-counts',
      rules: ['R4'],
      what: "Of the user's message audience and the server's widest audience, the wider one counts.",
      tests: [...tests, 'shared/visibility'],
      names: 'message policy .* of the server and|narrower of two audiences',
    },
  ),
  mutant(
    messages,
    `    const reason = this.messagingOf(from, to, view)
`,
    `    const reason = messagingOf(view, 'everyone', from === to)
`,
    {
      id: 'message-policy-ignored-by-messages',
      rules: ['R4'],
      what: "Messages are delivered according to the user's own choice alone, whatever the server's widest audience is.",
      tests: [...tests, 'server/elsewhere'],
      names: 'message policy',
    },
  ),
  {
    id: 'message-policy-ignored-by-communication',
    rules: ['R4'],
    what: 'The backend is told that messages are allowed which the server does not deliver.',
    changes: [
      {
        file: 'packages/server/src/http/insight.ts',
        find: "import { visibility } from '@kith/shared'",
        replace: "import { messagingBetween, visibility } from '@kith/shared'",
      },
      {
        file: 'packages/server/src/http/insight.ts',
        find: '    const reason = messages.messagingOf(from, to, views[0] as View)\n',
        replace: `    void messages
    const view = views[0] as View
    const own = view.owner.messageAudience ?? 'everyone'
    const reason = messagingBetween({ ...standingOf(view, from === to), messageAudience: own })
`,
      },
    ],
    tests,
    names: 'of the server and',
  },
  mutant('server/src/assemble.ts', '    widest: options.messagePolicy,\n', '', {
    id: 'message-policy-without-effect',
    rules: ['R4'],
    what: 'The message policy that a server is started with has no effect.',
    tests,
    names: 'of the server and',
  }),
  mutant('server/src/relations/commit.ts', '    narrowsMessages === true ||\n', '', {
    id: 'narrower-messages-answered-before-others-know',
    rules: ['V4'],
    what: 'A narrower message audience is acknowledged while another node still delivers messages.',
    tests,
    names: 'applied it',
  }),
  mutant(
    'server/src/relations/roster.ts',
    'narrowerAudience(messageAudience, settings.messageAudience) !== messageAudience',
    'narrowerAudience(messageAudience, settings.messageAudience) === messageAudience',
    {
      id: 'wider-messages-wait-for-others',
      rules: ['V4'],
      what: 'The server waits for other nodes when the message audience becomes wider, not when it becomes narrower.',
      tests,
      names: 'applied it',
    },
  ),
  mutant('server/src/accounts/backend-edits.ts', '        account.drop(writer)\n', '', {
    id: 'edit-after-the-erasure',
    rules: ['D7', 'F3'],
    what: "A backend's edit during the erasure of the account is written for the next holder of the id.",
    tests,
    names: 'nothing is left|without an account',
  }),
  mutant(
    'server/src/relations/roster.ts',
    'if (mayHaveWritten && !mine.isContact && mine.levels.length === 0)',
    'if (false)',
    {
      id: 'removed-contact-not-waited-for',
      rules: ['V4'],
      what: 'The removal of a contact is acknowledged while another node still delivers messages of that contact.',
      tests: ['server/store'],
      names: 'whose messages reach its user',
    },
  ),
]
