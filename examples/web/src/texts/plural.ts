/** Forms of a text by CLDR plural category; `other` is for the rest. `#` is the number. */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }

const rulesByLocale = new Map<string, Intl.PluralRules>()

/** The form of a text that a number takes in a language. */
export function plural(locale: string, number: number, forms: Forms): string {
  const rules = rulesByLocale.get(locale) ?? new Intl.PluralRules(locale)
  rulesByLocale.set(locale, rules)
  return (forms[rules.select(number)] ?? forms.other).replace('#', number.toLocaleString(locale))
}
