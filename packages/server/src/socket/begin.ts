import type { DocumentName } from '../relations/records.ts'
import { signInCost } from './cost.ts'
import type { Session } from './session.ts'

/** Begins a session that has just signed in. The server's first message is its sync step 1, at once. */
export function begin(session: Session): void {
  session.charge(signInCost)
  session.context.relay.join(session)
  askFor(session, 'roster')
}

/** Asks for what the device has and the server lacks; once, until it is answered. */
export function askFor(session: Session, document: DocumentName): void {
  const account = session.context.accounts.of(session.user)
  account.task(
    async () => session.resend(document, await account.stateVector(document), false),
    error => session.fail(error),
  )
}
