// Owns going from page to page of a list that the server cuts: it names where the next one begins.

import { useLanguage } from '../../i18n';
import { Button } from '../../ui/button';

interface Props {
  // Where the page that is shown begins; undefined is the first one.
  from: number | undefined;
  next: number | null;
  onMove: (from: number | undefined) => void;
}

export function Paging({ from, next, onMove }: Props) {
  const { t } = useLanguage();
  if (from === undefined && next === null) return null;

  // What was pressed is gone with the old page: one reads on from the top.
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
