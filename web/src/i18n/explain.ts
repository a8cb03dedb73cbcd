// Owns the words for a problem: by the stable name of the error and, if the name covers several reasons,
// by the reason in its message. Without words here, the server's message is shown.

import type { Problem } from '../api/problem';
import { useLanguage } from '.';
import type { Key } from './en';
import { reasons } from './reasons';

export function useExplain(): (problem: Problem) => string {
  const { t, has } = useLanguage();
  return problem => {
    const key = keyFor(problem, has);
    // The number in the message, such as a length.
    const n = /\d+/.exec(problem.message)?.[0] ?? '';
    return key ? t(key, { n }) : problem.message || t('error.HttpError');
  };
}

function keyFor({ code, message }: Problem, has: (key: string) => key is Key): Key | undefined {
  const reason = reasons[message] ?? reasons[message.replace(/\d+/, '{n}')] ?? reasons[message.replace(/".*"/s, '{what}')];
  if (reason) return reason;
  const key = `error.${code}`;
  return has(key) ? key : undefined;
}
