/** Forms of a text by CLDR plural category; `other` is for all others. `#` is the number. */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }

const rulesByLocale = new Map<string, Intl.PluralRules>()

/** Returns the form of a text for a number in a language. */
export function plural(locale: string, number: number, forms: Forms): string {
  const rules = rulesByLocale.get(locale) ?? new Intl.PluralRules(locale)
  rulesByLocale.set(locale, rules)
  return (forms[rules.select(number)] ?? forms.other).replace('#', number.toLocaleString(locale))
}
