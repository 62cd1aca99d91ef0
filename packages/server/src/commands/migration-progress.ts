/** Prints the progress of the migration of a data folder to the standard error. */
export function tellMigration(format: number, records: number): void {
  process.stderr.write(`${records} records looked at for the format kith-${format}\n`)
}

/** Prints to the standard error which step the migration of a database has begun. All steps are one transaction. */
export function tellSchema(version: number, last: number): void {
  process.stderr.write(`bringing the schema to version ${version} of ${last}\n`)
}
