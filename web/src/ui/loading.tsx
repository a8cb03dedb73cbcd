// Owns what stands in the place of something that is not there yet, or was refused.

import { useLanguage } from '../i18n';
import type { Loaded } from '../load';
import { Button } from './button';
import { ProblemNotice } from './notice';

export function Loading({ of: { problem, reload } }: { of: Pick<Loaded<unknown>, 'problem' | 'reload'> }) {
  const { t } = useLanguage();
  if (!problem) return <p className="loading" role="status">{t('load.busy')}</p>;
  return (
    <>
      <ProblemNotice problem={problem} />
      <Button onClick={reload}>{t('load.again')}</Button>
    </>
  );
}
