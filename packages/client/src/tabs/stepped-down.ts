import { KithError } from '@kith/shared'
import { SessionEnded } from '../sync/barriers.ts'

/** Another tab has the connection now. A call that waited for this tab's connection asks that tab. */
export class SteppedDown extends SessionEnded {
  constructor() {
    super('Another tab has taken over')
  }
}

/** The same, for calls that wait for this tab's connection. Never shown to an app. */
export const steppedDown: KithError = new KithError('closed', 'Another tab has taken over the connection')
