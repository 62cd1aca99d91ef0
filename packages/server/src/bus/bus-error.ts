/** Something that nodes say to each other failed: the carrier, the other node, or what came from it. The message says what to do. */
export class BusError extends Error {}
