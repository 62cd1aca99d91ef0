import { type Mutant, mutant } from '../mutant.ts'

const folder = 'server/src/store/level/format'
const tests = ['server/formats']
const rules = ['D4']

/** Mistakes with which one version would lose data that another version wrote. */
export const formatMutants: readonly Mutant[] = [
  mutant(`${folder}/prepare.ts`, 'if (!isLater) await expectKnownFamilies(database, folder)', '', {
    id: 'unknown-families-opened',
    rules,
    what: 'A data folder with record families of a later version is opened as if it had none.',
    tests,
  }),
  mutant(`${folder}/prepare.ts`, 'await expectKnownRecords(database, folder)', '', {
    id: 'unknown-records-opened',
    rules,
    what: 'A data folder whose records have unknown members is served until the server reads one of them.',
    tests,
  }),
  mutant(`${folder}/prepare.ts`, '<= known) return', '<= Number.MAX_VALUE) return', {
    id: 'min-reader-ignored',
    rules,
    what: 'A data folder that only later versions may open is opened.',
    tests,
  }),
  mutant(`${folder}/migrate.ts`, 'let after = begun\n', "let after = ''\n", {
    id: 'migration-begins-again',
    rules,
    what: 'A migration that was killed rewrites records that it has already rewritten.',
    tests,
  }),
  mutant(`${folder}/migrate.ts`, 'interrupted?.least ??', 'undefined ??', {
    id: 'interrupted-migration-closes-the-folder',
    rules,
    what: 'A folder whose migration was interrupted stays closed to versions that its format allows.',
    tests,
    names: 'ends before any of its writes',
  }),
  mutant('server/src/store/level/open.ts', 'number <= presentFormat.number', 'true', {
    id: 'min-reader-of-a-later-format-lowered',
    rules,
    what: 'A server opens the folder of a later format to versions that the later format excludes.',
    tests,
    names: 'a folder of a later format',
  }),
  mutant('server/src/store/copy/source.ts', 'format.number > presentFormat.number', 'false', {
    id: 'later-folder-copied-in-part',
    rules,
    what: 'A copy of a folder of a later format lacks the records that this version does not know.',
    tests: ['server/postgres-upkeep'],
    names: 'of a later format',
  }),
  mutant(`${folder}/migrate.ts`, '[...batch, progress, minReaderRecord(to)]', '[...batch, progress]', {
    id: 'half-migrated-folder-opened',
    rules,
    what: 'An earlier version opens a folder whose migration is under way.',
    tests,
  }),
  mutant('server/src/relations/records.ts', 'expectKnown(memberNames.has(name)', 'expectKnown(true', {
    id: 'unknown-member-dropped',
    rules,
    what: "A user's record with a member that a later version wrote is read by this version, which may write the record without it.",
    tests,
  }),
  mutant('server/src/relations/side-codec.ts', 'expectKnown(!decoding.hasContent(decoder)', 'expectKnown(true', {
    id: 'unknown-bytes-dropped',
    rules,
    what: 'Bytes at the end of a relation are dropped when the relation is written again.',
    tests,
  }),
  mutant(
    'server/src/store/level/stage/stage.ts',
    '[this.#marker(), minReaderRecord(Math.max(this.#port.minReader.value, stagingFormat))]',
    '[this.#marker()]',
    {
      id: 'staged-change-open-to-all-versions',
      rules: ['D2'],
      what: '0.1.0 opens a folder while a change is staged, and drops what is not applied.',
      tests,
    },
  ),
  mutant('server/src/store/level/stage/stage.ts', ', minReaderRecord(this.#port.minReader.value)]', ']', {
    id: 'staged-change-closes-the-folder',
    rules: ['D2'],
    what: 'After its first large change, a folder stays closed to 0.1.0 permanently.',
    tests,
  }),
  mutant(
    'server/src/store/level/stage/finish.ts',
    'format ? [minReaderRecord(Math.max(format.minReader, least))] : []',
    '[]',
    {
      id: 'finished-change-closes-the-folder',
      rules: ['D2'],
      what: 'After a crash with a staged change a folder stays closed to 0.1.0.',
      tests,
    },
  ),
  mutant(
    'server/src/store/level/group-commit.ts',
    'if (changes.some(isOfLaterGeneration)) await this.#minReader.raise(generationsFormat)',
    '',
    {
      id: 'refounded-folder-open-to-0-1-0',
      rules: ['R4'],
      what: '0.1.0 opens a folder with a refounded document, and merges data from an old device.',
      tests,
    },
  ),
  mutant(
    'server/src/store/level/prepared-changes.ts',
    'if (isOfLaterGeneration(change)) await minReader.raise(generationsFormat)',
    '',
    {
      id: 'large-refounded-document-open-to-0-1-0',
      rules: ['R4'],
      what: '0.1.0 opens a folder that a device has filled with a large document of a later generation.',
      tests,
      names: 'in slices',
    },
  ),
  mutant('server/src/accounts/account.ts', "this.founderInMemory('roster') > 0", 'false', {
    id: 'filled-folder-open-to-0-1-0',
    rules: ['R4'],
    what: '0.1.0 opens a folder that a device has filled with a document of a later generation.',
    tests,
    names: 'a device fills',
  }),
  mutant(`${folder}/format-records.ts`, '(folder?.minReader ?? 1) >= generationsFormat', 'false', {
    id: 'refounded-folder-opened-by-a-migration',
    rules: ['R4'],
    what: 'A migration, or a staged change, lets 0.1.0 open a folder with a refounded document.',
    tests,
  }),
  mutant(`${folder}/migrate.ts`, 'formatRecords(format, least)', 'formatRecords(format)', {
    id: 'folder-with-events-opened-by-a-migration',
    rules,
    what: 'A migration lets versions without an outbox open a folder in which events wait.',
    tests,
    names: 'events that wait',
  }),
  mutant('server/src/store/postgres/migrate.ts', 'if (minReader <= known) return', 'return', {
    id: 'min-reader-of-a-database-ignored',
    rules,
    what: 'A node opens a database that only later versions may use.',
    tests: ['server/postgres-upkeep'],
  }),
  mutant('server/src/store/postgres/migrate.ts', 'if (nodes === 0) return', 'return', {
    id: 'migrated-under-running-nodes',
    rules,
    what: 'Nodes of an earlier version continue to write a schema that they do not know.',
    tests: ['server/postgres-upkeep'],
  }),
  mutant('server/src/store/postgres/migrate.ts', '`exists (select from', '`true or exists (select from', {
    id: 'outdated-node-joins-again',
    rules,
    what: 'A node that was paused during a migration joins again, and writes in the way of an earlier schema.',
    tests: ['server/postgres-upkeep'],
    names: 'a node whose lease ran out',
  }),
  mutant(
    'server/src/store/postgres/migrate.ts',
    "  await client.query('lock table node in share row exclusive mode')\n",
    '',
    {
      id: 'node-joins-during-a-migration',
      rules,
      what: 'A node that joins while the schema is being migrated beyond it continues with the earlier schema.',
      tests: ['server/postgres-upkeep'],
      names: 'a node that starts',
    },
  ),
  mutant(
    'server/src/store/postgres/migrate.ts',
    'if (from > 0 && minReader < (steps.at(-1)?.minReader ?? 0))',
    'if (from > 0 && from < (steps.at(-1)?.minReader ?? 0))',
    {
      id: 'nodes-of-an-earlier-version-not-counted',
      rules,
      what: 'A migration excludes nodes that run, of an earlier version than the schema.',
      tests: ['server/postgres-upkeep'],
      names: 'min_reader is not raised',
    },
  ),
  mutant(
    'server/src/relations/level-edit.ts',
    '[knownFields(before), splitFields(after)]',
    '[new Map(), splitFields(after)]',
    {
      id: 'unknown-part-of-a-level-dropped',
      rules: ['D4'],
      what: 'An edit of a profile drops what a later version has added to a level.',
      tests: ['server/formats'],
    },
  ),
  mutant('server/src/store/level/record-codec.ts', '!Number.isNaN(value)', 'true', {
    id: 'unknown-number-read-as-none',
    rules: ['D4'],
    what: 'A number that a later version extended is read as no number.',
    tests: ['server/formats'],
  }),
  mutant('server/src/store/level/record-codec.ts', 'unknown === undefined, `the member', 'true, `the member', {
    id: 'unknown-setting-dropped',
    rules: ['D4'],
    what: 'A member that a later version added to a setting is dropped when the setting is written.',
    tests: ['server/formats'],
  }),
]
