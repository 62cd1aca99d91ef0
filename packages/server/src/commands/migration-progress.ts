/** Says on the standard error how far the migration of a data folder has come. */
export function tellMigration(format: number, records: number): void {
  process.stderr.write(`${records} records looked at for the format kith-${format}\n`)
}

/** Says on the standard error which step the migration of a database has begun. All of them are one transaction. */
export function tellSchema(version: number, last: number): void {
  process.stderr.write(`bringing the schema to version ${version} of ${last}\n`)
}
