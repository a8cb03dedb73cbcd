// Owns the words for a problem: by the stable name of the error and, if the name covers several reasons,
// by the reason in its message. Without words here, the server's message is shown.

import type { Problem } from '../api/problem';
import { useLanguage } from '.';
import { en, type Key } from './en';
import { reasons } from './reasons';

export function useExplain(): (problem: Problem) => string {
  const { t } = useLanguage();
  return problem => {
    const key = keyFor(problem);
    // The number in the message, such as a length.
    const n = /\d+/.exec(problem.message)?.[0] ?? '';
    return key ? t(key, { n }) : problem.message || t('error.HttpError');
  };
}

export function keyFor({ code, message }: { code: string; message: string }): Key | undefined {
  const reason = reasons[message] ?? reasons[message.replace(/\d+/, '{n}')];
  if (reason) return reason;
  const key = `error.${code}`;
  return key in en ? (key as Key) : undefined;
}
