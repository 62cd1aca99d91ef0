/** Communication between nodes failed: the carrier, the other node, or a message from it. The message says what to do. */
export class BusError extends Error {}
