import type { Attack } from './attack.ts'
import * as frames from './frames.ts'
import * as http from './http.ts'
import * as rosters from './rosters.ts'

/** The attacks, by the name for `npm run bench -- overload NAME`. */
export const attacks: Readonly<Record<string, Attack>> = {
  'waiting-follows': rosters.waitingFollows,
  'switches-of-one': rosters.switchesOfOne,
  'switches-of-seven': rosters.switchesOfSeven,
  'state-vectors': frames.stateVectors,
  hellos: frames.hellos,
  received: frames.received,
  pongs: frames.pongs,
  'deaf-readers': frames.deafReaders,
  'one-sync': rosters.oneSync,
  'sync-to-another': rosters.syncToAnother,
  'half-bodies': http.halfBodies,
  audience: rosters.audience,
  erasure: rosters.erasure,
  exporting: rosters.exporting,
  returns: rosters.returns,
  pings: frames.pings,
  'empty-fragments': frames.emptyFragments,
  'dripping-fragments': frames.drippingFragments,
  awareness: frames.awareness,
  barriers: frames.barriers,
  renewals: frames.renewals,
  connections: frames.connections,
  'half-headers': http.halfHeaders,
  'idle-connections': http.idleConnections,
}
