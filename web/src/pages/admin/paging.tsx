// Owns going through a list page by page: the position is in the address, and the server says where the
// pages before and after are.

import type { Cursor } from '../../api/types';
import { useLanguage } from '../../i18n';
import { Link, useAddress } from '../../router';
import { queryWith } from './filters';

interface Props {
  // Without a page, such as at an address with a position that is wrong, a link leads to the first one.
  next: Cursor | null;
  // Lists that cannot be read backwards lead to their first page instead.
  previous?: Cursor | null;
  // The parameter that takes `next`.
  onward?: 'after' | 'before';
}

export function Paging({ next, previous = null, onward = 'after' }: Props) {
  const { t } = useLanguage();
  const { path, query } = useAddress();
  const to = (after: Cursor | null, before: Cursor | null) =>
    path + queryWith(query, { after: String(after ?? ''), before: String(before ?? '') });
  const first = query.has('after') || query.has('before');
  if (!first && previous === null && next === null) return null;

  // The followed link may be gone on the other page, so reading goes on at the top.
  function top() {
    scrollTo(0, 0);
    document.querySelector('h1')?.focus({ preventScroll: true });
  }

  const link = (words: string, address: string, rel?: string) => (
    <Link className="button plain" to={address} onClick={top} rel={rel}>{words}</Link>
  );

  return (
    <nav className="buttons" aria-label={t('page.label')}>
      {first && link(t('page.first'), to(null, null))}
      {previous !== null && link(t('page.previous'), to(null, previous), 'prev')}
      {next !== null && link(t('page.next'), onward === 'after' ? to(next, null) : to(null, next), 'next')}
    </nav>
  );
}
