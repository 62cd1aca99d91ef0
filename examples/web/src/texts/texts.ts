import { isolateAll } from '../isolation.ts'
import { en, type Texts } from './en.ts'

/** A language of the page, by its tag (BCP 47). */
export interface Language {
  tag: 'en' | 'de' | 'ar'
  name: string
  direction: 'ltr' | 'rtl'
  load: () => Promise<Texts>
}

export const languages: readonly Language[] = [
  { tag: 'en', name: 'English', direction: 'ltr', load: async () => en },
  { tag: 'de', name: 'Deutsch', direction: 'ltr', load: async () => (await import('./de.ts')).de },
  { tag: 'ar', name: 'العربية', direction: 'rtl', load: async () => (await import('./ar.ts')).ar },
]

const storageKey = 'kith-demo:language'

/** The texts of the chosen language. Components read them when they render, never earlier. */
export let t: Texts = en
export let language: Language = languages[0] as Language
/** For dates, numbers and the order of names: the browser's preferences, in this language. */
export let locale: string = language.tag

/** Loads the texts of the chosen language, or of the one that the browser prefers. */
export async function loadTexts(): Promise<void> {
  language = wanted()
  locale = navigator.languages.find(tag => tag.split('-')[0] === language.tag) ?? language.tag
  isolateAll(language.direction === 'rtl')
  t = await language.load()
  document.documentElement.lang = language.tag
  document.documentElement.dir = language.direction
}

/** Shows the page in another language from now on. */
export function chooseLanguage(tag: string): void {
  try {
    localStorage.setItem(storageKey, tag)
  } catch {
    // Without storage, the choice cannot be kept.
  }
  location.reload()
}

function wanted(): Language {
  let chosen: string | null = null
  try {
    chosen = localStorage.getItem(storageKey)
  } catch {
    // Without storage, the browser's language is used.
  }
  const tags = [chosen, ...navigator.languages].map(tag => tag?.slice(0, 2))
  const found = tags.map(tag => languages.find(one => one.tag === tag)).find(one => one !== undefined)
  return found ?? (languages[0] as Language)
}
