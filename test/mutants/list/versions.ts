import { type Mutant, mutant } from '../mutant.ts'

const wire = 'shared/src/wire'

/** Mistakes in what devices and servers of different versions must guarantee to each other. */
export const versionMutants: readonly Mutant[] = [
  mutant(`${wire}/framing.ts`, 'isFromNewer && number >= firstOptionalType', 'isFromNewer', {
    id: 'required-message-passed-over',
    rules: ['S1', 'D2'],
    what: 'A message that a later version requires to be understood is ignored, and a barrier after it is acknowledged.',
    tests: ['shared/wire', 'server/versions', 'client/versions'],
  }),
  mutant(`${wire}/framing.ts`, 'isFromNewer && !closed.has(message.type)', 'isFromNewer', {
    id: 'bytes-behind-documents-passed-over',
    rules: ['S2'],
    what: 'Bytes after an update of a document are dropped, and the update is admitted without them.',
    tests: ['shared/wire', 'server/versions'],
  }),
  mutant(`${wire}/codec.ts`, 'decoder.isFromNewer ||= wire > wireVersion', 'decoder.isFromNewer ||= true', {
    id: 'hello-of-this-wire-read-loosely',
    rules: ['S1'],
    what: 'Bytes after a hello of this wire version are ignored.',
    tests: ['shared/wire'],
  }),
  mutant(`${wire}/hello.ts`, '  noteWire(decoder, version)\n', '', {
    id: 'later-hello-read-as-one-of-this-wire',
    rules: ['S1'],
    what: 'A device of a later version whose hello exceeds a bound of this version is stopped permanently.',
    tests: ['server/versions'],
  }),
  mutant(`${wire}/welcome.ts`, '  noteWire(decoder, wire)\n', '', {
    id: 'later-welcome-read-as-one-of-this-wire',
    rules: ['D2'],
    what: 'A device stops permanently when a later server sends another flag in its welcome.',
    tests: ['client/versions'],
  }),
  mutant('client/src/sync/connection.ts', 'mayBeNewer && isRefusal', 'false && isRefusal', {
    id: 'later-close-code-stops-a-device',
    rules: ['D2'],
    what: 'A device stops permanently when a later server closes with a code that the device does not know.',
    tests: ['client/versions'],
  }),
  mutant('server/src/socket/handle.ts', 'version > 1 && { understands', 'version > 0 && { understands', {
    id: 'welcome-that-no-old-device-reads',
    rules: ['S1'],
    what: 'Devices of 0.1.0 receive a welcome that they treat as a violation, and stop permanently.',
    tests: ['server/versions'],
  }),
  mutant(
    'server/src/socket/receive.ts',
    "if (message.type === 'hello') session.isNewer ||=",
    'if (false) session.isNewer ||=',
    {
      id: 'newer-device-not-noticed',
      rules: ['S1'],
      what: 'An addition by a device of a later version ends its session permanently.',
      tests: ['server/versions'],
    },
  ),
  mutant('server/src/socket/receive.ts', 'if (session.isWithinWrites()) inbox', 'inbox', {
    id: 'optional-messages-for-free',
    isSeenByWaiting: true,
    rules: ['S3'],
    what: 'A device may send any number of messages that the server does not know.',
    tests: ['server/versions'],
  }),
  mutant('server/src/socket/handle.ts', "if (fit === 'too-new') {", "if (fit !== 'too-new' && fit !== 'fits') {", {
    id: 'too-new-device-served',
    isSeenByWaiting: true,
    rules: ['S1'],
    what: 'A device that cannot work with this server is welcomed.',
    tests: ['server/versions'],
  }),
  mutant('client/src/sync/hello.ts', 'isVersioned ?', 'true ?', {
    id: 'hello-that-no-old-server-reads',
    rules: ['S1'],
    what: 'A server of 0.1.0 closes with 4400, and the device stops permanently.',
    tests: ['client/versions'],
  }),
  mutant('client/src/sync/connection.ts', 'if (frame?.isOptional) return', '', {
    id: 'optional-message-ends-the-session',
    isSeenByWaiting: true,
    rules: ['S1'],
    what: 'A device closes the connection on a message that it may ignore.',
    tests: ['client/versions'],
  }),
  mutant('client/src/sync/close-action.ts', 'case closeCodes.tooOld:', 'case 4999:', {
    id: 'too-old-device-stops',
    rules: ['D2'],
    what: 'A device that is too old for its server stops permanently, and its app is not told why.',
    tests: ['client/versions'],
  }),
  mutant('client/src/sync/connection-manager.ts', 'upgradeRestMs * (1 + this.#host.randomness.fraction())', '1_000', {
    id: 'too-old-device-knocks',
    rules: ['S3'],
    what: 'Devices that are too old for their server reconnect every second.',
    tests: ['client/versions'],
  }),
  mutant('client/src/sync/privacy-check.ts', 'this.#enforced.has(name) || ', '', {
    id: 'enforced-privacy-reported',
    rules: ['V3'],
    what: 'The app is notified that a privacy setting has no effect though it has.',
    tests: ['client/versions'],
  }),
  mutant('client/src/sync/privacy-check.ts', 'for (const name of names) this.#told.delete(name)', '', {
    id: 'unenforced-privacy-reported-once-for-ever',
    rules: ['V3'],
    what: 'A server that no longer enforces a privacy setting is not reported.',
    tests: ['client/versions'],
  }),
  mutant(
    'client/src/sync/session.ts',
    '    this.#port.privacy.check(this.#port.store.documents.roster.view)\n    this.#showStatus()\n  }\n\n  /** Sends',
    '    this.#showStatus()\n  }\n\n  /** Sends',
    {
      id: 'unenforced-privacy-not-reported-when-set',
      rules: ['V3'],
      what: 'When the app sets a privacy setting, it is not notified that the server does not enforce it.',
      tests: ['client/versions'],
    },
  ),
  mutant('server/src/accounts/account.ts', 'own !== undefined && Buffer.compare(own, digest) === 0', 'true', {
    id: 'any-digest-is-the-same',
    rules: ['F1', 'D3'],
    what: 'A device with a long history does not receive changes that other devices made while it was away.',
    tests: ['client/returning'],
  }),
  mutant('shared/src/document-digest.ts', 'Y.encodeSnapshot(Y.snapshot(doc))', 'Y.encodeStateVector(doc)', {
    id: 'digest-without-removals',
    rules: ['D3'],
    what: 'A device with a long history does not receive pure removals.',
    tests: ['client/returning'],
  }),
  mutant('server/src/socket/handle.ts', 'session.holdsAll(name, account.founderInMemory(name))', '', {
    id: 'nothing-relayed-after-a-digest',
    rules: ['F1'],
    what: 'A device that had all data receives no later changes of the other devices.',
    tests: ['client/returning'],
  }),
  mutant('client/src/sync/session.ts', 'else this.#exchange.ask(name)', '', {
    id: 'different-and-not-asked-for',
    rules: ['F1', 'D6'],
    what: 'A device with a long history never requests data from a server that holds different data, or that does not know digests.',
    tests: ['client/versions'],
    names: 'does not hold alike',
  }),
  mutant('server/src/socket/receive.ts', 'inbox.add({ cost: 1 + forBytes(frameBytes) })', 'inbox.add({ cost: 1 })', {
    id: 'optional-bytes-free',
    rules: ['S3'],
    what: 'A device makes the server read 200 MiB per second without being charged for the work.',
    tests: ['server/versions'],
    names: 'bytes of an optional message',
  }),
]
