// Owns loading the words of a language. Each language is a file of its own, of which a browser loads
// the one that it needs.

import type { Words } from './en';
import type { Language } from './languages';

const files: Record<Language, () => Promise<Words>> = {
  en: async () => (await import('./en')).en,
  'pt-PT': async () => (await import('./pt')).pt,
  'pt-BR': async () => (await import('./pt-BR')).ptBR,
  de: async () => (await import('./de')).de,
  es: async () => (await import('./es')).es,
  fr: async () => (await import('./fr')).fr,
};

// The words of a language, in the order of `keys`. In the built app a file has a list already, of which
// Object.values makes the same.
export async function loadWords(language: Language): Promise<string[]> {
  return Object.values(await files[language]());
}
