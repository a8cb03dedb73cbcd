// Owns a list that may be long: its first rows, and a button that shows more of them. A row that is no
// longer among the items stays in its place, so that it can say what became of it.

import { useLayoutEffect, useRef, useState, type ReactNode } from 'react';
import { useLanguage } from '../i18n';
import { Button } from './button';

const FIRST = 10;
const MORE = 50;

interface Props<T> {
  items: T[];
  // Renders an item as a list item; `gone`: it is no longer among the items.
  children: (item: T, gone: boolean) => ReactNode;
}

export function LongList<T extends { id: string }>({ items, children }: Props<T>) {
  const { t } = useLanguage();
  const [shown, setShown] = useState(FIRST);
  const list = useRef<HTMLUListElement>(null);
  const rows = useKept(items);

  // The first new row gets the focus: the button may be gone, and reading goes on there.
  useLayoutEffect(() => {
    const row = shown > FIRST ? list.current?.children[shown - MORE] : undefined;
    if (!(row instanceof HTMLElement)) return;
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
  }, [shown]);

  return (
    <>
      <ul className="rows" ref={list}>{rows.slice(0, shown).map(each => children(each, !items.some(({ id }) => id === each.id)))}</ul>
      {rows.length > shown && (
        <Button onClick={() => setShown(shown + MORE)}>{t('list.more', { n: rows.length - shown })}</Button>
      )}
    </>
  );
}

// The items, and in their places those that there were before.
function useKept<T extends { id: string }>(items: T[]): T[] {
  const before = useRef<T[]>([]);
  const kept = [...items];
  before.current.forEach((each, place) => {
    if (!items.some(({ id }) => id === each.id)) kept.splice(place, 0, each);
  });
  before.current = kept;
  return kept;
}
