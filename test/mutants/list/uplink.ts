import { type Mutant, mutant } from '../mutant.ts'

const inflate = 'server/src/socket/inflate.ts'

/** Mistakes in compressed updates from devices. */
export const uplinkMutants: readonly Mutant[] = [
  mutant(inflate, '      maxOutputLength: size,\n', '', {
    id: 'inflates-without-a-bound',
    rules: ['S3'],
    what: 'A compressed update is inflated completely before its size is checked.',
    tests: ['server/deflated-rosters'],
    names: 'no more is inflated',
  }),
  mutant(inflate, ' || engine.bytesWritten !== payload.length', ' || !engine', {
    id: 'bytes-behind-the-compressed-end',
    rules: ['S1'],
    what: 'Bytes after the end of a compressed update are ignored.',
    tests: ['server/deflated-rosters'],
    names: 'bytes behind the end',
  }),
  mutant('server/src/socket/cost.ts', 'Math.max(frameBytes, message.size)', 'frameBytes', {
    id: 'inflating-is-free',
    rules: ['S3'],
    what: 'A compressed update is charged by its bytes on the wire.',
    tests: ['server/charges'],
    names: 'a compressed update',
  }),
  mutant('server/src/socket/receive.ts', 'message.size > limits.rosterBytes', 'message.size < 0', {
    id: 'inflates-more-than-a-roster',
    rules: ['S3'],
    what: 'A compressed update may be larger than a frame of a roster.',
    tests: ['server/deflated-rosters'],
    names: 'larger than a roster',
  }),
  mutant(
    'client/src/sync/sender.ts',
    "await this.#port.sendUpdate(document, isStep2 ? 'step2' : 'update', update)",
    "void this.#port.sendUpdate(document, isStep2 ? 'step2' : 'update', update)",
    {
      id: 'barrier-overtakes-compression',
      rules: ['D2'],
      what: 'The barrier of a change is sent while the change is still being compressed.',
      tests: ['client/deflate'],
      names: 'its barrier behind it',
    },
  ),
  mutant('client/src/sync/session.ts', '(frame.understands?.wire ?? 1) >= deflateWire', 'frame.isFresh !== undefined', {
    id: 'compresses-for-older-servers',
    rules: ['D2'],
    what: 'A device sends compressed updates to a server that does not know them.',
    tests: ['client/deflate'],
    names: 'wire 3',
  }),
]
