/** A database that cannot be used. The message says what to do about it. */
export class DatabaseError extends Error {}
