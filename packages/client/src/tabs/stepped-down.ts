import { KithError } from '@kith/shared'
import { SessionEnded } from '../sync/barriers.ts'

/** Another tab has the connection now; whatever waited for it asks that tab. */
export class SteppedDown extends SessionEnded {
  constructor() {
    super('Another tab has taken over')
  }
}

/** The same, for those who wait for the connection of this tab. Never shown to an app. */
export const steppedDown: KithError = new KithError('closed', 'Another tab has taken over the connection')
