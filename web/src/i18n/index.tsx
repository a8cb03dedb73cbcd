// Owns the language of the pages: words by key, dates, durations and numbers, and the change to another
// language. The files of the languages have the words.

import { createContext, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { answers, reloadOnce } from '../reload';
import type { Key, Words } from './en';
import { keys } from './keys';
import { localeOf, remember, type Language } from './languages';
import { loadWords } from './words';

export type { Key } from './en';
export { languages, type Language } from './languages';

export type Fill = Record<string, string | number>;

// The keys that have words for one and for more: KEY.one and KEY.other.
export type Counted = {
  [K in Key]: K extends `${infer Base}.one` ? (`${Base}.other` extends Key ? Base : never) : never;
}[Key];

// Longer waits are told in minutes.
const MOST_SECONDS = 120;

interface Spoken {
  language: Language;
  // Returns false if the words could not be loaded; the choice then counts from the next visit on.
  choose: (language: Language) => Promise<boolean>;
  // The words of a key, with {placeholders} filled in.
  t: (key: Key, fill?: Fill) => string;
  // Whether there are words for a key that was put together.
  has: (key: string) => key is Key;
  // All keys that begin so.
  keys: (beginning: string) => Key[];
  // The words for a number, which is {n} in them.
  count: (key: Counted, n: number, fill?: Fill) => string;
  // The words for a wait until another attempt.
  wait: (seconds: number) => string;
  // A time to the minute, to the second, to the day; all of seconds since 1970.
  when: (seconds: number) => string;
  exactly: (seconds: number) => string;
  day: (seconds: number) => string;
}

interface Chosen {
  language: Language;
  // In the order of `keys`.
  words: string[];
}

const Context = createContext<Spoken | null>(null);

export function LanguageProvider({ first, children }: { first: Chosen; children: ReactNode }) {
  const [chosen, setChosen] = useState(first);
  // The last choice: the words of an earlier one may arrive after its words.
  const wanted = useRef(first.language);

  useEffect(() => {
    document.documentElement.lang = chosen.language;
  }, [chosen]);

  const spoken = useMemo<Spoken>(() => {
    const choose = async (language: Language) => {
      remember(language);
      wanted.current = language;
      try {
        const words = await loadWords(language);
        if (wanted.current === language) setChosen({ language, words });
      } catch {
        // After an upgrade of the server the file has another name. Without a connection the choice counts from the next visit on.
        return (await answers()) && reloadOnce();
      }
      return true;
    };
    return { language: chosen.language, choose, ...speaking(chosen) };
  }, [chosen]);
  return <Context value={spoken}>{children}</Context>;
}

export function useLanguage(): Spoken {
  const spoken = useContext(Context);
  if (!spoken) throw new Error('useLanguage outside of LanguageProvider');
  return spoken;
}

function speaking({ language, words: list }: Chosen): Omit<Spoken, 'language' | 'choose'> {
  const words = Object.fromEntries(keys.map((key, at) => [key, list[at]])) as Words;
  const locale = localeOf(language);
  const plural = new Intl.PluralRules(locale);
  const dates = (options: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat(locale, options);
    return (seconds: number) => format.format(seconds * 1000);
  };
  const t: Spoken['t'] = (key, fill) => filled(words[key], fill);
  const count: Spoken['count'] = (key, n, fill) =>
    t(`${key}.${plural.select(n) === 'one' ? 'one' : 'other'}` as Key, { n, ...fill });
  return {
    t,
    has: (key): key is Key => key in words,
    keys: beginning => keys.filter(key => key.startsWith(beginning)),
    count,
    wait: seconds => (seconds > MOST_SECONDS ? count('form.waitMinutes', Math.ceil(seconds / 60)) : count('form.wait', seconds)),
    when: dates({ dateStyle: 'medium', timeStyle: 'short' }),
    exactly: dates({ dateStyle: 'medium', timeStyle: 'medium' }),
    day: dates({ dateStyle: 'long' }),
  };
}

function filled(text: string, fill: Fill = {}): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(fill[name] ?? whole));
}
