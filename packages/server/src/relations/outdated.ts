/**
 * A document that a change builds on was changed by another node since it was loaded. Nothing of the change was written: it is
 * to be made again, on the document as it is now.
 */
export class OutdatedDocument extends Error {
  constructor(user: string) {
    super(`a document of ${JSON.stringify(user)} was changed by another node`)
  }
}

/** The user's tokens were revoked after the session signed in that a change comes from. Nothing of it was written. */
export class RevokedSession extends Error {
  constructor(user: string) {
    super(`a session of ${JSON.stringify(user)} was revoked`)
  }
}

/** The database has lost commits that this node had reported. What was made of them is not written. */
export class LostHistory extends Error {
  constructor() {
    super('the history of the database is not the one that this node knows')
  }
}
