import { type Mutant, mutant } from '../mutant.ts'

const database = 'client/src/sqlite/database.ts'

/** Mistakes in a device that keeps its data in SQLite [D1]. */
export const sqliteMutants: readonly Mutant[] = [
  mutant(database, "if (mode === 'rw') await this.#connection().run('COMMIT', [])", '', {
    id: 'sqlite-not-committed',
    rules: ['D1'],
    what: 'A transaction is reported as done before it is committed.',
    tests: ['client/sqlite'],
    names: '\\[D1\\] in Node',
  }),
  mutant(
    database,
    "if (mode === 'rw') await rolledBack(connection)",
    "if (mode === 'rw') await connection.run('COMMIT', [])",
    {
      id: 'sqlite-half-a-transaction',
      rules: ['D1'],
      what: 'Writes of a failed transaction stay.',
      tests: ['client/storage-contract'],
      names: 'SQLite in a folder \\[D1\\] of a transaction',
    },
  ),
  mutant(database, "...(isExclusive ? ['PRAGMA locking_mode = EXCLUSIVE', 'BEGIN EXCLUSIVE', 'ROLLBACK'] : []),", '', {
    id: 'sqlite-not-locked',
    rules: ['D1'],
    what: 'Two clients write to one device, under one Yjs client id.',
    tests: ['client/sqlite'],
    names: 'database-in-use',
  }),
  mutant(database, "'PRAGMA synchronous = EXTRA'", "'PRAGMA synchronous = NORMAL'", {
    id: 'sqlite-relaxed-durability',
    rules: ['D1'],
    what: 'A saved change may still lie in a buffer of the operating system.',
    tests: ['client/sqlite'],
    names: 'waits for the disk',
  }),
  mutant(database, "'PRAGMA secure_delete = ON'", "'PRAGMA secure_delete = OFF'", {
    id: 'sqlite-keeps-deleted-bytes',
    rules: ['V5'],
    what: 'A value that was overwritten stays in free parts of the file.',
    tests: ['client/sqlite'],
    names: '\\[V5\\]',
  }),
  mutant('client/src/sqlite/transaction.ts', '    if (this.#failure) throw this.#failure.error\n  }\n}', '  }\n}', {
    id: 'sqlite-commits-without-a-write',
    rules: ['D1'],
    what: 'A transaction is committed without one of its writes, whose error was caught.',
    tests: ['client/sqlite'],
    names: 'a write failed',
  }),
  mutant('client/src/sqlite/table.ts', 'SET last = max(last, ?)', 'SET last = last + 0 * ?', {
    id: 'sqlite-number-used-again',
    rules: ['D1', 'D2'],
    what: 'A row gets a number that another row had before.',
    tests: ['client/storage-contract'],
    names: 'SQLite in a folder rows are numbered',
  }),
  mutant(database, 'read?.has(name)', 'name === undefined', {
    id: 'sqlite-live-query-asleep',
    rules: ['D1'],
    what: 'A live query is not notified of commits.',
    tests: ['client/storage-contract'],
    names: 'SQLite in a folder a live query tells',
    isSeenByWaiting: true,
  }),
  mutant(
    database,
    '        await connection.close()\n        throw error',
    '        await connection.close()\n        await driver.remove(file)\n        throw error',
    {
      id: 'sqlite-register-of-others-deleted',
      rules: ['D1'],
      what: 'A process that finds the register of devices locked deletes it.',
      tests: ['client/sqlite'],
      names: 'make the register',
    },
  ),
  mutant('client/src/sqlite/storage.ts', '  expectKnown(name, found)\n', '', {
    id: 'newer-sqlite-rows-opened',
    rules: ['D1'],
    what: 'Older code opens a file whose rows a later version has changed.',
    tests: ['client/sqlite'],
    names: 'a later version has changed',
  }),
  mutant('client/src/sqlite/storage.ts', 'if (found < schemaNumber) await tables.meta.put(schemaRow)', '', {
    id: 'sqlite-schema-not-raised',
    rules: ['D1'],
    what: 'A file that this version migrated has the schema of the earlier one, which then opens it.',
    tests: ['client/sqlite'],
    names: 'is migrated when it is opened',
  }),
  mutant(database, "'BEGIN EXCLUSIVE', 'ROLLBACK'", "'PRAGMA journal_mode = WAL'", {
    id: 'newer-sqlite-file-rewritten',
    rules: ['D1'],
    what: 'Older code changes a file before it refuses it as that of a later version.',
    tests: ['client/sqlite'],
    names: 'a later version has changed',
  }),
  mutant(database, 'layoutSteps.slice(found - 1).flat()', 'layoutSteps.flat()', {
    id: 'sqlite-layout-step-taken-twice',
    rules: ['D1'],
    what: 'A file of a middle layout gets the steps that it had before, and cannot be opened.',
    tests: ['client/sqlite'],
    names: 'step by step',
  }),
]
