/** The `together` of a session, for outlets that write to no network. */
export function atOnce(send: () => void): void {
  send()
}
