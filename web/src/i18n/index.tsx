// Owns the language: which one is shown, words by key, dates and numbers as people write them
// there. The words themselves stand in en.ts and pt.ts.

import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { en, type Key, type Words } from './en';
import { pt } from './pt';

export type { Key } from './en';

export const languages = { en: 'English', pt: 'Português' } as const;
export type Language = keyof typeof languages;

const words: Record<Language, Words> = { en, pt };
const REMEMBERED = 'lictor.language';

export type Fill = Record<string, string | number>;

interface Spoken {
  language: Language;
  choose: (language: Language) => void;
  // The words of a key; {name} in them is filled in.
  t: (key: Key, fill?: Fill) => string;
  // A key of which there is one for `one` and one for `other` numbers.
  count: (key: 'recovery.left' | 'form.wait' | 'user.sessions', n: number) => string;
  when: (seconds: number) => string;
  day: (seconds: number) => string;
}

const Context = createContext<Spoken | null>(null);

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(preferred);

  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);

  const spoken = useMemo<Spoken>(() => {
    const choose = (chosen: Language) => {
      remember(chosen);
      setLanguage(chosen);
    };
    return { language, choose, ...speaking(language) };
  }, [language]);
  return <Context value={spoken}>{children}</Context>;
}

export function useLanguage(): Spoken {
  const spoken = useContext(Context);
  if (!spoken) throw new Error('useLanguage outside of LanguageProvider');
  return spoken;
}

function speaking(language: Language) {
  const locale = navigator.languages.find(each => each.startsWith(language)) ?? language;
  const plural = new Intl.PluralRules(locale);
  const minute = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'long' });
  const t = (key: Key, fill?: Fill) => filled(words[language][key], fill);
  return {
    t,
    count: (key: Parameters<Spoken['count']>[0], n: number) =>
      t(`${key}.${plural.select(n) === 'one' ? 'one' : 'other'}`, { n }),
    when: (seconds: number) => minute.format(seconds * 1000),
    day: (seconds: number) => day.format(seconds * 1000),
  };
}

function filled(text: string, fill: Fill = {}): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(fill[name] ?? whole));
}

// What was chosen here before, else the first of the browser's languages that we have.
function preferred(): Language {
  const chosen = recall();
  if (chosen && chosen in languages) return chosen as Language;
  const asked = navigator.languages.map(each => each.slice(0, 2));
  return asked.find((each): each is Language => each in languages) ?? 'en';
}

// A browser may forbid storage; then the choice lasts as long as the page.
function recall(): string | null {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null;
  }
}

function remember(language: Language) {
  try {
    localStorage.setItem(REMEMBERED, language);
  } catch {
    // Then not.
  }
}
