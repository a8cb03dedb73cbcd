// Owns the filters of a list. They live in the query of the address, so that going back, reloading and
// sharing the address show the same rows. Typing replaces the address; a choice is a step to go back from.

import { useEffect, useId, useRef, useState, type InputHTMLAttributes, type ReactNode } from 'react';
import { useLanguage } from '../../i18n';
import { navigate, useAddress } from '../../router';
import { Button } from '../../ui/button';

const TYPING_PAUSE = 250;

// The query of an address with other values; an empty one is left out.
export function queryWith(query: URLSearchParams, values: Record<string, string>): string {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(values)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  const text = next.toString();
  return text && `?${text}`;
}

// Another filter begins at the first page. Reads the address itself: a pause in typing may end after it changed.
function filter(values: Record<string, string>, replace = false) {
  const query = new URLSearchParams(location.search);
  navigate(location.pathname + queryWith(query, { ...values, after: '', before: '' }), { replace });
}

export function Filters({ names, children }: { names: string[]; children: ReactNode }) {
  const { t } = useLanguage();
  const { query } = useAddress();
  const form = useRef<HTMLElement>(null);

  // The button goes with the filters, so the focus moves to the first field.
  function clear() {
    filter(Object.fromEntries(names.map(name => [name, ''])));
    form.current?.querySelector('input')?.focus();
  }

  return (
    <search className="filters" ref={form}>
      {children}
      {names.some(name => query.has(name)) && (
        <Button look="link" className="clear" onClick={clear}>{t('filter.clear')}</Button>
      )}
    </search>
  );
}

interface TextProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'name'> {
  name: string;
  label: string;
  // Between the address and the field, where they differ.
  shown?: (value: string) => string;
  meant?: (typed: string) => string;
  // Another filter that gives way to this one.
  clears?: string;
}

const same = (text: string) => text;

export function TextFilter({ name, label, shown = same, meant = same, clears = name, className = '', ...input }: TextProps) {
  const id = useId();
  const value = useAddress().query.get(name) ?? '';
  const [typed, setTyped] = useState(() => shown(value));
  // The last value that this field wrote: any other comes from going back or from a link.
  const own = useRef(value);

  const timer = useRef(0);

  useEffect(() => {
    if (value === own.current) return;
    own.current = value;
    clearTimeout(timer.current);
    setTyped(shown(value));
  }, [value]);

  useEffect(() => () => clearTimeout(timer.current), []);

  function type(text: string) {
    setTyped(text);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      own.current = meant(text.trim());
      filter({ [clears]: '', [name]: own.current }, true);
    }, TYPING_PAUSE);
  }

  return (
    <div className={`field ${className}`}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={200}
        {...input}
        value={typed}
        onChange={event => type(event.target.value)}
      />
    </div>
  );
}

interface ChoiceProps {
  label: string;
  // The present choice, and the parameters that each one sets.
  choices: [values: Record<string, string>, words: string][];
}

// The first choice whose values the address has; the first of all is the one without a filter.
export function ChoiceFilter({ label, choices }: ChoiceProps) {
  const id = useId();
  const { query } = useAddress();
  const fits = (values: Record<string, string>) => Object.entries(values).every(([name, value]) => (query.get(name) ?? '') === value);
  const current = Math.max(0, choices.findIndex(([values]) => fits(values)));
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={current} onChange={event => filter(choices[Number(event.target.value)]?.[0] ?? {})}>
        {choices.map(([, words], index) => <option key={words} value={index}>{words}</option>)}
      </select>
    </div>
  );
}

export function TickFilter({ name, label }: { name: string; label: string }) {
  const id = useId();
  const { query } = useAddress();
  return (
    <div className="field tick">
      <input
        id={id}
        type="checkbox"
        checked={query.get(name) === 'true'}
        onChange={event => filter({ [name]: event.target.checked ? 'true' : '' })}
      />
      <label htmlFor={id}>{label}</label>
    </div>
  );
}
