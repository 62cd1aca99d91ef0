import { decodeFrame, type Outcome, type PresenceState } from '@kith/shared/wire'
import type { Direction, Happening } from './recording-socket.ts'

/** The kind of an event, for the sentence in plain words. */
export type Brief =
  | {
      is:
        | 'connected'
        | 'disconnected'
        | 'greeted'
        | 'stored'
        | 'caughtUp'
        | 'watches'
        | 'question'
        | 'alive'
        | 'problem'
    }
  /** `isAnswer`: sends what the other side lacks, which may be nothing. */
  | { is: 'changed' | 'copied'; isAnswer: boolean }
  | { is: 'checked'; person: string; levels: readonly number[]; hasJoined: boolean }
  | { is: 'received'; person: string; level: number; fields: readonly string[] }
  | { is: 'asked' | 'wrote' | 'read'; person: string }
  | { is: 'presence'; person: string; state: PresenceState['is'] }
  | { is: 'outcome'; state: Outcome['state'] }

/** Returns a result for any bytes. */
export function briefOf(happening: Happening): Brief {
  switch (happening.type) {
    case 'opened':
      return { is: 'connected' }
    case 'closed':
      return { is: 'disconnected' }
    case 'frame':
      return frameBrief(happening.direction, happening.bytes)
  }
}

function frameBrief(direction: Direction, bytes: Uint8Array): Brief {
  const frame = decodeFrame(bytes)
  switch (frame.type) {
    case 'rosterSync':
    case 'ownProfile':
      if (frame.step === 'step1' || frame.payload.length <= 2) return { is: 'question' }
      return { is: direction === 'sent' ? 'changed' : 'copied', isAnswer: frame.step === 'step2' }
    case 'deflatedRoster':
      return { is: 'changed', isAnswer: frame.step === 'step2' }
    case 'awareness':
    case 'queryAwareness':
    case 'received':
      return { is: 'alive' }
    case 'hello':
    case 'barrier':
    case 'renew':
      return { is: 'question' }
    case 'welcome':
      return { is: 'greeted' }
    case 'reached':
      return { is: frame.isComplete ? 'stored' : 'problem' }
    case 'refused':
    case 'failure':
    case 'malformed':
      return { is: 'problem' }
    case 'fetch':
      return { is: 'asked', person: frame.owner }
    case 'access':
      return { is: 'checked', person: frame.owner, levels: frame.levels, hasJoined: frame.hasJustJoined }
    case 'profile':
      return { is: 'received', person: frame.owner, level: frame.level, fields: Object.keys(frame.fields) }
    case 'difference': {
      const fields = [...Object.keys(frame.fields), ...frame.removed]
      return { is: 'received', person: frame.owner, level: frame.level, fields }
    }
    case 'caughtUp':
      return { is: 'caughtUp' }
    case 'watch':
      return { is: 'watches' }
    case 'presence':
      return { is: 'presence', person: frame.owner, state: frame.state.is }
    case 'sendMessage':
      return { is: 'wrote', person: frame.to }
    case 'message':
      return { is: 'read', person: frame.from }
    case 'outcome':
      return { is: 'outcome', state: frame.state }
  }
}
