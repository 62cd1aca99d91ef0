/** A database that cannot be used, with what to do about it. */
export class DatabaseError extends Error {}
