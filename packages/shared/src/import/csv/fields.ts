import Papa from 'papaparse'

/** Splits one row into its fields, with what papaparse says is wrong with it. */
export function fieldsOf(record: string, delimiter: string): { fields: string[]; isBroken: boolean } {
  const { data, errors } = Papa.parse(record, { delimiter })
  return { fields: data.flat().map(withoutFormula), isBroken: errors.length > 0 }
}

/**
 * Spreadsheets keep the `+` and the zeros of numbers by writing `="+44…"` or `'+44…`. Quotes after a space, as in `Ada, "+44…"`,
 * are no quotes of CSV, but are meant as such.
 */
function withoutFormula(field: string): string {
  return field
    .trim()
    .replace(/^=?"([^"]*)"$/, '$1')
    .replace(/^'(?=[+\d(])/, '')
    .trim()
}
