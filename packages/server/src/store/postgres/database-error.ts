/** A database that cannot be used. The message says what to do about it. */
export class DatabaseError extends Error {}

/** The database was migrated beyond this version of Kith. */
export class OutdatedError extends DatabaseError {}
