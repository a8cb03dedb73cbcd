// Owns loading a list whose filters and position are in the address: while the next rows load, the present
// ones stay. "Back" to a list shows the rows that it had at once, with the focus on the one that was
// followed, and loads them again.

import { useEffect, useLayoutEffect, useState } from 'react';
import { useLoad, type Loaded } from '../../load';
import { pathBefore, useAddress } from '../../router';
import { auth } from '../../session';

// On the first page the browser places the focus.
let first = true;

interface Page {
  of: string;
  page: unknown;
  version: number;
}

// The rows that each list had last, by its path, and the user who saw them.
const left = new Map<string, { user: number | undefined; data: Page }>();

export interface Listed<T> extends Pick<Loaded<T>, 'problem' | 'reload'> {
  page: T | undefined;
  // A number that changes with each answer.
  version: number;
  // Whether the rows are still those of another address.
  busy: boolean;
}

export function useListed<T>(load: (query: URLSearchParams) => Promise<T>): Listed<T> {
  const { path, query } = useAddress();
  const of = query.toString();
  const [kept] = useState(() => keptOf(path, of));
  const { data, problem, reload } = useLoad(
    async () => ({ of, page: await load(query), version: performance.now() }), path, of, kept as (Page & { page: T }) | undefined,
  );

  // Before the page gives the focus to its heading. Focusing scrolls to the row.
  useLayoutEffect(() => {
    if (kept) document.querySelector<HTMLElement>(`.rows a[href="${pathBefore()}"]`)?.focus();
  }, []);

  useEffect(() => {
    if (data) left.set(path, { user: auth.state.claims?.id, data });
  }, [data]);

  // Going back can take away the link that had the focus.
  useEffect(() => {
    if (!data) return;
    if (!first && document.activeElement === document.body) document.querySelector('h1')?.focus({ preventScroll: true });
    first = false;
  }, [data]);

  const busy = data !== undefined && data.of !== of;
  // The rows of another address do not stay if those of this one are refused.
  const shown = busy && problem ? undefined : data;
  return { page: shown?.page, version: shown?.version ?? 0, busy, problem, reload };
}

function keptOf(path: string, of: string): Page | undefined {
  const found = left.get(path);
  return pathBefore() !== null && found?.user === auth.state.claims?.id && found?.data.of === of ? found.data : undefined;
}
