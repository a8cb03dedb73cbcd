// Owns the placeholder for data that is loading or was refused. Beside the data of an earlier load, it
// says why the last one failed, and nothing else.

import { useLanguage } from '../i18n';
import type { Loaded } from '../load';
import { Button } from './button';
import { ProblemNotice } from './notice';

// The same request again gets the same answer.
const FINAL = ['BadRequest', 'NotFound'];

interface Props {
  of: Pick<Loaded<unknown>, 'problem' | 'reload'> & { data?: unknown };
  // Shows nothing while it loads.
  quiet?: boolean;
}

export function Loading({ of: { data, problem: found, reload }, quiet = false }: Props) {
  const { t } = useLanguage();
  // The page that sets up the second factor is about to replace this one.
  const problem = found?.code === 'SecondFactorMissing' ? undefined : found;
  if (!problem && data !== undefined) return null;
  if (!problem) return <p className="loading" role="status">{!quiet && t('load.busy')}</p>;
  return (
    <>
      <ProblemNotice problem={problem} />
      {!FINAL.includes(problem.code) && <Button onClick={reload}>{t('load.again')}</Button>}
    </>
  );
}
