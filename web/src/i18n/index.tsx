// Owns the language of the pages: the choice, words by key, dates and numbers. en.ts and pt.ts have the
// words.

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
  // The words of a key, with {placeholders} filled in.
  t: (key: Key, fill?: Fill) => string;
  // The words for a number, from the keys KEY.one and KEY.other.
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

// The stored choice, or else the first language of the browser that we have.
function preferred(): Language {
  const chosen = recall();
  if (chosen && chosen in languages) return chosen as Language;
  const asked = navigator.languages.map(each => each.slice(0, 2));
  return asked.find((each): each is Language => each in languages) ?? 'en';
}

// If the browser blocks storage, the choice lasts until the page is closed.
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
    // Storage is blocked.
  }
}
