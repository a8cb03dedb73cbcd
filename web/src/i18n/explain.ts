// Owns the words for a problem: by the server's stable name, and where the name covers several
// reasons, by the reason in its message. What has no words here is said as the server says it.

import type { Problem } from '../api/problem';
import { useLanguage } from '.';
import { en, type Key } from './en';

// The server's sentences that are more exact than the error's name.
export const reasons: Record<string, Key> = {
  'The username is empty': 'error.Required',
  'The username is longer than 64 characters': 'reason.nameLong',
  'The username may hold letters, digits and punctuation, but no spaces': 'reason.nameLetters',
  'The password is longer than 1024 bytes': 'reason.passwordLong',
  'The password is empty': 'error.Required',
  'The password holds a character that cannot be typed everywhere': 'reason.passwordLetters',
  'The password is shorter than 8 characters': 'reason.passwordShort',
  'The password is little more than the username': 'reason.passwordName',
  'The password is little more than the e-mail address': 'reason.passwordEmail',
  'The password is little more than the name of this program': 'reason.passwordProgram',
  'This password is one of the most common, which are tried first': 'reason.passwordCommon',
  'email: this is not an e-mail address': 'error.InvalidEmail',
  'email: longer than 254 bytes': 'error.InvalidEmail',
  'email: this address belongs to another user': 'reason.emailTaken',
  'roles: more than 16 roles': 'reason.rolesMany',
};

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
