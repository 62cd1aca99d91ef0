/** A server cannot be reached, or ended the connection. The message says why. */
export class ConnectionError extends Error {}
