import type { DocumentName } from '../relations/records.ts'
import { signInCost } from './cost.ts'
import type { Session } from './session.ts'

/** Begins a session that has just signed in. The server immediately sends its first message, its sync step 1. */
export function begin(session: Session): void {
  session.charge(signInCost)
  session.context.relay.join(session)
  askFor(session, 'roster')
}

/** Requests what the device has and the server lacks. Not repeated until the device has answered. */
export function askFor(session: Session, document: DocumentName): void {
  const account = session.context.accounts.of(session.user)
  account.task(
    async () => session.resend(document, await account.stateVector(document), false),
    error => session.fail(error),
  )
}
