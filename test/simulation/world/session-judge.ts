import type { Frame } from '@kith/shared/wire'
import type { Tab } from './device.ts'
import type { Wire } from './network.ts'

const bearer = 'bearer.'

/** Judges which sessions continue after a revocation of their tokens was answered, on any server. */
export class SessionJudge {
  readonly #wrong: (what: string) => void
  /** By user: when the last answered call that revoked tokens was made. */
  readonly #revokedAtMs = new Map<string, number>()

  constructor({ wrong }: { wrong: (what: string) => void }) {
    this.#wrong = wrong
  }

  /** A call that revokes the user's tokens was answered. It revokes all tokens issued until `askedAtMs`, when it was made. */
  revoked(user: string, askedAtMs: number): void {
    this.#revokedAtMs.set(user, Math.max(askedAtMs, this.#revokedAtMs.get(user) ?? 0))
  }

  /** Revocations may be lost. The backend must revoke again. */
  forget(): void {
    this.#revokedAtMs.clear()
  }

  handed(wire: Wire, frame: Frame | { type: 'malformed' }): void {
    const { user } = wire.caller as Tab
    const revokedAtMs = this.#revokedAtMs.get(user)
    if (revokedAtMs === undefined || issuedAtMs(wire) > revokedAtMs || !hasContent(frame)) return
    this.#wrong(`${user} was handed ${frame.type} over a session whose token was revoked, and that was answered [V4]`)
  }
}

/** Whether a frame has data of the account or of other users. The progress of the device's own changes may be sent. */
function hasContent(frame: Frame | { type: 'malformed' }): boolean {
  const { type } = frame
  if (type === 'rosterSync' || type === 'ownProfile') return frame.step !== 'step1'
  return ['access', 'profile', 'difference', 'message', 'presence', 'caughtUp'].includes(type)
}

function issuedAtMs({ protocols }: Wire): number {
  const token = protocols.find(name => name.startsWith(bearer))?.slice(bearer.length) ?? ''
  const { iat } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { iat: number }
  return Math.round(iat * 1000)
}
