// Owns the words for a problem: by the server's stable name, and where the name covers several
// reasons, by the reason in its message. What has no words here is said as the server says it.

import type { Problem } from '../api/problem';
import { useLanguage } from '.';
import { en, type Key } from './en';
import { reasons } from './reasons';

export function useExplain(): (problem: Problem) => string {
  const { t } = useLanguage();
  return problem => {
    const key = keyFor(problem);
    return key ? t(key) : problem.message || t('error.HttpError');
  };
}

export function keyFor({ code, message }: { code: string; message: string }): Key | undefined {
  const reason = reasons[message];
  if (reason) return reason;
  const key = `error.${code}`;
  return key in en ? (key as Key) : undefined;
}
