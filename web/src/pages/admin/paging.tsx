// Owns paging through a list: the server sends one page and the position of the next.

import { useLanguage } from '../../i18n';
import { Button } from '../../ui/button';

interface Props {
  // The position of the present page; undefined is the first page.
  from: number | undefined;
  next: number | null;
  onMove: (from: number | undefined) => void;
}

export function Paging({ from, next, onMove }: Props) {
  const { t } = useLanguage();
  if (from === undefined && next === null) return null;

  // The pressed button is gone with the old page, so reading goes on at the top.
  function move(to: number | undefined) {
    onMove(to);
    scrollTo(0, 0);
    document.querySelector('h1')?.focus({ preventScroll: true });
  }

  return (
    <nav className="buttons" aria-label={t('page.label')}>
      {from !== undefined && <Button onClick={() => move(undefined)}>{t('page.first')}</Button>}
      {next !== null && <Button onClick={() => move(next)}>{t('page.next')}</Button>}
    </nav>
  );
}
