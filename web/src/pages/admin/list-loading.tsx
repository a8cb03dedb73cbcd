// Owns the placeholder for a list that is loading or was refused. If the server does not understand the
// address, another attempt is in vain: the way on is the first page, or to clear the filters.

import { useLanguage } from '../../i18n';
import type { Loaded } from '../../load';
import { Link, useAddress } from '../../router';
import { Loading } from '../../ui/loading';
import { ProblemNotice } from '../../ui/notice';
import { queryWith } from './filters';

const NOT_UNDERSTOOD = 400;

export function ListLoading({ of }: { of: Pick<Loaded<unknown>, 'problem' | 'reload'> }) {
  const { t } = useLanguage();
  const { path, query } = useAddress();
  if (of.problem?.status !== NOT_UNDERSTOOD) return <Loading of={of} />;

  const inside = query.has('after') || query.has('before');
  return (
    <>
      <ProblemNotice problem={of.problem} />
      <nav className="buttons" aria-label={t('page.label')}>
        {inside
          ? <Link className="button plain" to={path + queryWith(query, { after: '', before: '' })}>{t('page.first')}</Link>
          : <Link className="button plain" to={path}>{t('filter.clear')}</Link>}
      </nav>
    </>
  );
}
