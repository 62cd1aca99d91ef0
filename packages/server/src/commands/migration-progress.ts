/** Says on the standard error how far the migration of a data folder has come. */
export function tellMigration(format: number, records: number): void {
  process.stderr.write(`${records} records looked at for the format kith-${format}\n`)
}
