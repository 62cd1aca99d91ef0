import Papa from 'papaparse'

/** Splits one row into its fields, and returns whether papaparse reports an error. */
export function fieldsOf(record: string, delimiter: string): { fields: string[]; isBroken: boolean } {
  const { data, errors } = Papa.parse(record, { delimiter })
  return { fields: data.flat().map(withoutFormula), isBroken: errors.length > 0 }
}

/**
 * Spreadsheets keep the `+` and the zeros of numbers by writing `="+44…"` or `'+44…`. Quotes after a space, as in
 * `Ada, "+44…"`, are not quotes in CSV, but are meant as quotes.
 */
function withoutFormula(field: string): string {
  return field
    .trim()
    .replace(/^=?"([^"]*)"$/, '$1')
    .replace(/^'(?=[+\d(])/, '')
    .trim()
}
