// Owns the list of the languages, and which of them a user gets: the stored choice, or else the first
// language of the browser that is here. Loads no words.

export const languages = {
  en: 'English',
  'pt-PT': 'Português (Portugal)',
  'pt-BR': 'Português (Brasil)',
  de: 'Deutsch',
  es: 'Español',
  fr: 'Français',
} as const;

export type Language = keyof typeof languages;

const KEY = 'lictor.language';

// The first of `tags` (BCP 47) that is here, or English.
export function bestOf(tags: readonly string[]): Language {
  for (const tag of tags) {
    const found = languageOf(tag);
    if (found) return found;
  }
  return 'en';
}

// The language for one tag. Only Brazil writes Portuguese in the Brazilian way: Portugal, Angola,
// Mozambique and others, and `pt` alone, get the European one. `pt` alone was also stored for it when
// there was one Portuguese.
export function languageOf(tag: string): Language | undefined {
  const [language = '', ...rest] = tag.toLowerCase().split('-');
  if (language === 'pt') return rest.includes('br') ? 'pt-BR' : 'pt-PT';
  return Object.hasOwn(languages, language) ? (language as Language) : undefined;
}

export function preferred(): Language {
  const chosen = recall();
  return (chosen && languageOf(chosen)) || bestOf(navigator.languages);
}

// The tag of the browser for a language, with its region, which decides how dates and numbers look.
export function localeOf(language: Language): string {
  return navigator.languages.find(each => languageOf(each) === language) ?? language;
}

// If the browser blocks storage, the choice lasts until the page is closed.
function recall(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export function remember(language: Language) {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // Storage is blocked.
  }
}
