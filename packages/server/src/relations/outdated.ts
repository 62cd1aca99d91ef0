/**
 * Another node has changed a document that a change builds on since the document was loaded. Nothing of the change was written.
 * The change must be made again, on the present document.
 */
export class OutdatedDocument extends Error {
  constructor(user: string) {
    super(`a document of ${JSON.stringify(user)} was changed by another node`)
  }
}

/** The user's tokens were revoked after the session that sent the change signed in. Nothing of the change was written. */
export class RevokedSession extends Error {
  constructor(user: string) {
    super(`a session of ${JSON.stringify(user)} was revoked`)
  }
}

/** The database has lost commits that this node had reported. Changes that build on them are not written. */
export class LostHistory extends Error {
  constructor() {
    super('the history of the database is not the one that this node knows')
  }
}
