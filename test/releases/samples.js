const bytes = (...all) => Uint8Array.of(...all)

const limits = {
  rosterBytes: 8_388_608,
  profileBytes: 65_536,
  profileLevels: 16,
  fieldNameBytes: 64,
  labelBytes: 256,
  messageBytes: 16_384,
  relations: 100_000,
}
const fields = { age: 33, avatar: bytes(0xff, 0), busy: false, name: 'Adä', shown: true }
const access = { type: 'access', owner: 'bob', isWaiting: false, hasJustJoined: false, isFetched: false }

/** A message of each kind, for the golden frames of a release. What a release adds comes to the end. */
export const samples = [
  { type: 'rosterSync', step: 'step1', payload: bytes(0) },
  { type: 'rosterSync', step: 'step2', payload: bytes(0, 0) },
  { type: 'rosterSync', step: 'update', payload: bytes() },
  { type: 'awareness' },
  { type: 'queryAwareness' },
  { type: 'hello', version: 1, cursor: bytes() },
  { type: 'hello', version: 1, cursor: bytes(1), incarnation: bytes(7, 8), owners: ['bob', 'eve'] },
  { type: 'welcome', isFresh: true, isErased: false, incarnation: bytes(7, 8), limits },
  { type: 'welcome', isFresh: false, isErased: true, incarnation: bytes(9), limits },
  { type: 'ownProfile', step: 'step1', payload: bytes(0) },
  { type: 'ownProfile', step: 'update', payload: bytes(9) },
  { type: 'barrier', id: 300, withFeed: true },
  { type: 'reached', id: 300, isComplete: false },
  { type: 'refused', document: 'profile', code: 'profile-too-large' },
  { type: 'fetch', owner: 'bob' },
  { ...access, levels: [0, 2, 255], hasJustJoined: true, cursor: bytes(9) },
  { ...access, levels: [], isWaiting: true, cursor: bytes() },
  { ...access, levels: [], changedHands: 'AQIDBAUGBwg', cursor: bytes(9) },
  { type: 'profile', owner: 'bob', level: 2, fields, cursor: bytes(7) },
  { type: 'profile', owner: 'bob', level: 0, fields: {}, cursor: bytes() },
  { type: 'caughtUp', cursor: bytes(1, 5) },
  { type: 'sendMessage', id: '1', to: 'bob', text: 'hi €' },
  { type: 'message', id: '1', from: 'bob', text: 'hi' },
  { type: 'received', id: '1', from: 'bob' },
  { type: 'outcome', id: '1', state: 'unconfirmed' },
  { type: 'outcome', id: '1', state: 'undelivered', refusal: { code: 'too-many-messages', retryAfterMs: 20 } },
  { type: 'renew', token: 'a.b' },
  { type: 'failure', code: 'discovery-limit', retryAfterMs: 86_400_000, count: 3, addresses: ['bob', 'eve'] },
  { type: 'watch', owners: ['bob', 'eve'] },
  { type: 'presence', owner: 'bob', state: { is: 'online' } },
  { type: 'presence', owner: 'bob', state: { is: 'offline', lastSeenMinute: 300 } },
]
