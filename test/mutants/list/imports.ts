import { type Mutant, mutant } from '../mutant.ts'

const at = (path: string): string => `shared/src/import/${path}`

/** Mistakes in reading phone books, and in the changes that an import makes. */
export const importMutants: readonly Mutant[] = [
  mutant(
    at('text/lines.ts'),
    'if (this.#crs === 0) this.#append(bytes, from, index)\n        this.#crs = 0',
    'this.#crs = 0',
    {
      id: 'import-line-ends-in-lf-lost',
      rules: [],
      what: 'A line that ends in LF alone is lost.',
      tests: ['shared/vcard'],
    },
  ),
  mutant(at('text/lines.ts'), 'const room = maxValueBytes - this.#text.length', 'const room = 2 ** 30', {
    id: 'import-lines-unbounded',
    rules: ['S1'],
    what: 'A line uses as much memory as a hostile file wants.',
    tests: ['shared/lines'],
  }),
  mutant(at('vcard/unfold.ts'), 'this.#append(isOld ?', 'this.#append(!isOld ?', {
    id: 'import-folds-mixed-up',
    rules: [],
    what: 'A folded name of vCard 2.1 loses the space between two words.',
    tests: ['shared/vcard'],
  }),
  mutant(
    at('vcard/unfold.ts'),
    'this.#isAfterBlank ? looksLikeProperty(text) : isEdge.test(text)',
    'looksLikeProperty(text) && this.#isAfterBlank',
    {
      id: 'import-soft-break-swallows-end',
      rules: [],
      what: 'A card whose last value ends in a soft line break absorbs the next card.',
      tests: ['shared/vcard'],
    },
  ),
  mutant(
    at('vcard/unfold.ts'),
    "encoding === 'base64' && !text.includes(':')",
    "encoding === 'base64' && text.includes(':')",
    {
      id: 'import-base64-lines-stray',
      rules: [],
      what: 'The lines of a picture count as lines that are not properties.',
      tests: ['shared/vcard'],
    },
  ),
  mutant(at('vcard/reader.ts'), 'this.#group.length >= maxNestedCards || this.#groupBytes > maxGroupBytes', 'false', {
    id: 'import-cards-without-end-kept',
    rules: ['S1'],
    what: 'Cards that never end are all kept until the end of the file.',
    tests: ['shared/vcard'],
    names: 'never end',
  }),
  mutant(
    at('vcard/card.ts'),
    'if (this.bytes + property.value.length > maxCardBytes)',
    'if (property.value.length > maxCardBytes)',
    {
      id: 'import-card-unbounded',
      rules: ['S1'],
      what: 'One card uses as much memory as a hostile file wants.',
      tests: ['shared/vcard'],
    },
  ),
  mutant(at('vcard/card.ts'), 'label: this.#charset ?? guessCharset', 'label: guessCharset', {
    id: 'import-charset-of-card-ignored',
    rules: [],
    what: 'A name without a character set is guessed, although its card names one.',
    tests: ['shared/vcard'],
  }),
  mutant(at('text/charset.ts'), 'length * 2 > high', 'length > high', {
    id: 'import-cut-utf8-guessed',
    rules: [],
    what: 'A UTF-8 name with one wrong byte is read in another character set.',
    tests: ['shared/vcard'],
  }),
  mutant(at('csv/records.ts'), 'else if (this.#bytes > maxRecordBytes) this.#takeEach()', '', {
    id: 'import-open-quote-unbounded',
    rules: ['S1'],
    what: 'A quote that is never closed keeps the rest of the file in memory.',
    tests: ['shared/phone-book-csv'],
  }),
  mutant(
    at('csv/records.ts'),
    "if (text[index + 1] === '\"') index++\n      else isQuoted = false",
    'isQuoted = false',
    {
      id: 'import-doubled-quote-ends-field',
      rules: [],
      what: 'A line end after a doubled quote splits a row.',
      tests: ['shared/phone-book-csv'],
    },
  ),
  mutant(at('csv/columns.ts'), 'type|label|', '', {
    id: 'import-labels-as-numbers',
    rules: [],
    what: 'The type of a number counts as a number.',
    tests: ['shared/phone-book-csv'],
  }),
  mutant(at('plan/plan.ts'), 'if (label === undefined || isKept ||', 'if (label === undefined ||', {
    id: 'import-renames-again',
    rules: ['R3'],
    what: 'Importing the same file again reverts a name that the user has given a contact since.',
    tests: ['client/import'],
  }),
  mutant(at('plan/plan.ts'), 'if (!isContact && levels.length === 0) continue', '', {
    id: 'import-offers-no-contacts',
    rules: [],
    what: 'A user who is no longer a contact is offered for removal.',
    tests: ['client/import'],
  }),
  mutant(at('plan/plan.ts'), '.filter(({ root, key, value }) => sameValue(roster.get(root, key), value))', '', {
    id: 'import-undo-overwrites',
    rules: [],
    what: 'Undo reverts changes that the user made after the import.',
    tests: ['client/import'],
  }),
  mutant(at('plan/plan.ts'), ' && (old !== undefined || isContact(address))', '', {
    id: 'import-again-without-a-name',
    rules: [],
    what: 'A contact that was removed comes back without a name.',
    tests: ['client/import-again'],
  }),
  mutant(
    'client/src/import/plan-import.ts',
    'replaceRecord(this.#core.store, this.#options.source, after, before)',
    'this.#core.store.work(({ db }) => putRecord(db, this.#options.source, before))',
    {
      id: 'import-undo-of-the-later-record',
      rules: [],
      what: 'Undo of an older import forgets what a later import contained.',
      tests: ['client/import-again'],
      names: 'undo of an earlier import',
    },
  ),
  mutant(
    'client/src/import/plan-import.ts',
    '({ db }) => putRecord(db, this.#options.source, record)',
    'async () => undefined',
    {
      id: 'import-cut-off-forgets-its-record',
      rules: [],
      what: 'After an import that was cut off, the next one overwrites names that the user has given since.',
      tests: ['client/import-again'],
      names: 'after an aborted import',
    },
  ),
  mutant('client/src/import/plan-import.ts', 'offered.filter(({ address }) => before.has(address))', 'offered', {
    id: 'import-removes-again',
    rules: [],
    what: 'A second apply of one plan removes a contact that the user has added again.',
    tests: ['client/import-again'],
  }),
  mutant('client/src/import/plan-import.ts', 'removeGone ? gone : []', 'gone', {
    id: 'import-removes-unasked',
    rules: ['R5'],
    what: 'Contacts that left the phone book are removed without a request to remove them.',
    tests: ['client/import'],
  }),
  mutant('client/src/import/plan-import.ts', 'this.#options.signal?.throwIfAborted()', '', {
    id: 'import-writes-after-abort',
    rules: [],
    what: 'A cancelled import continues to write.',
    tests: ['client/import'],
  }),
  mutant('client/src/import/chunks.ts', 'reader.releaseLock()', '', {
    id: 'import-keeps-the-reader',
    rules: [],
    what: 'A stream stays locked after an abort.',
    tests: ['client/import'],
  }),
  mutant('client/src/import/read-contacts.ts', 'ending.abort()\n', '', {
    id: 'import-waits-for-a-dead-stream',
    rules: [],
    what: 'A cancelled import keeps a stream that delivers nothing.',
    tests: ['client/import'],
  }),
]
