// Owns the words for the details of audit entries that are sentences of the server. The other details are
// names, roles, addresses and programs, which are the same in every language.

import type { AuditEntry } from '../../api/types';
import type { Key, useLanguage } from '../../i18n';

const DETAILS: Record<string, Key> = {
  'app passwords kept': 'audit.detail.kept',
  'not compared: too many have failed': 'audit.detail.tooMany',
  'second factor': 'audit.detail.factor',
  'second factor, to reset the password': 'audit.detail.factorReset',
  'second factor, while logged in': 'audit.detail.factorInside',
  'while logged in': 'audit.detail.inside',
};
const NOT_TOLD = '; not told by mail: too many';
const INVITATION = /^invitation (\S+)$/;

export function detailWords({ event, detail }: Pick<AuditEntry, 'event' | 'detail'>, { t, has }: Pick<ReturnType<typeof useLanguage>, 't' | 'has'>): string {
  const kind = mailKind(detail);
  if (event.startsWith('mail-') && has(kind)) return t(kind);
  const key = DETAILS[detail];
  if (key) return t(key);
  const invitation = INVITATION.exec(detail)?.[1];
  if (invitation) return t('audit.detail.invitation', { id: invitation });
  if (detail.endsWith(NOT_TOLD)) return `${detail.slice(0, -NOT_TOLD.length)} (${t('audit.detail.notTold')})`;
  return detail;
}

// The key of the words for a kind of mail.
export const mailKind = (kind: string) => `mails.kind.${kind}`;
