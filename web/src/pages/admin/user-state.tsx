// Owns the state of a user as a badge: an account that was deactivated and one that waits for the
// confirmation of its address look different.

import type { User } from '../../api/types';
import { useLanguage } from '../../i18n';

export function UserState({ user: { state } }: { user: User }) {
  const { t } = useLanguage();
  if (state === 'unconfirmed') return <span className="badge waits">{t('users.unconfirmed')}</span>;
  if (state === 'inactive') return <span className="badge bad">{t('users.inactive')}</span>;
  return <span className="badge good">{t('user.active')}</span>;
}
