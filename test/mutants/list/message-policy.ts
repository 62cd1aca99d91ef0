import { type Mutant, mutant } from '../mutant.ts'

const tests = ['server/message-policy']

/** Whose messages reach a user, as the backend sets it. */
export const messagePolicyMutants: readonly Mutant[] = [
  mutant('server/src/relations/commit.ts', '    narrowsMessages === true ||\n', '', {
    id: 'narrower-messages-answered-before-others-know',
    rules: ['V4'],
    what: 'A narrower message audience is answered while another node still lets messages through.',
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
      what: 'What is waited for is a wider message audience, not a narrower one.',
      tests,
      names: 'applied it',
    },
  ),
  mutant(
    'server/src/http/message-policy.ts',
    '    await knownUser(context, id)\n    await edits.setMessageAudience',
    '    await edits.setMessageAudience',
    {
      id: 'message-policy-of-nobody',
      rules: ['F3'],
      what: 'The backend sets the message policy of an id without an account, which then waits for its first holder.',
      tests,
      names: 'without an account',
    },
  ),
]
