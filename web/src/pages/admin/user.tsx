// Owns the page of one user: the facts about the account, and the sections with what an administrator
// can change.

import { adminApi } from '../../api/endpoints';
import type { User } from '../../api/types';
import { useLanguage } from '../../i18n';
import { useLoad } from '../../load';
import { useMe } from '../../me';
import { Link, useAddress } from '../../router';
import { Loading } from '../../ui/loading';
import { Section } from '../../ui/section';
import { AdminPage } from './frame';
import { UserAccess, Unlock } from './user-access';
import { DeleteUser } from './user-delete';
import { UserEmail } from './user-email';
import { UserFactor } from './user-factor';
import { NewPasswordLink } from './user-link';
import { UserRoles } from './user-roles';
import { UserSessions } from './user-sessions';
import { UserState } from './user-state';

// What the sections take: the user, whether it is oneself, and loading the user again after a change.
export interface UserProps {
  user: User;
  self: boolean;
  onChange: () => void;
}

export function UserPage() {
  const { t } = useLanguage();
  const id = Number(useAddress().path.split('/').pop());
  const user = useLoad(() => adminApi.user(id), String(id));
  const me = useMe();
  const self = me.data?.id === id;

  // What an administrator may see depends on the own account.
  function onChange() {
    user.reload();
    if (self) me.reload();
  }

  const props = user.data && { user: user.data, self, onChange };
  return (
    <AdminPage title={user.data?.username ?? t('admin.users')}>
      <Loading of={user} />
      {props && (
        <>
          <Facts {...props} />
          <UserEmail {...props} />
          <UserRoles {...props} />
          <UserFactor {...props} />
          {/* A link is void once the user is inactive or has another address. */}
          <NewPasswordLink key={`${props.user.active} ${props.user.email}`} {...props} />
          {/* Deactivating a user ends the sessions, so the list is loaded again. */}
          <UserSessions key={String(props.user.active)} {...props} />
          <DeleteUser {...props} />
          <p className="aside"><Link to="/admin">{t('user.back')}</Link></p>
        </>
      )}
      {!props && user.problem && <p className="aside"><Link to="/admin">{t('user.back')}</Link></p>}
    </AdminPage>
  );
}

function Facts(props: UserProps) {
  const { t, when } = useLanguage();
  const { user } = props;
  const { pending_email: pending, last_login: last, last_login_address: address } = user;
  return (
    <Section title={t('profile.title')}>
      <dl className="facts">
        <dt>{t('user.id')}</dt>
        <dd>{user.id}</dd>
        <dt>{t('user.state')}</dt>
        <dd><UserState user={user} /></dd>
        <dt>{t('field.email')}</dt>
        <dd>{user.email ?? <span className="muted">{t('account.noEmail')}</span>}</dd>
        {pending !== null && pending !== user.email && (
          <>
            <dt>{t('user.pending')}</dt>
            <dd>{pending}</dd>
          </>
        )}
        <dt>{t('user.created')}</dt>
        <dd>{when(user.created)}</dd>
        <dt>{t('user.lastLogin')}</dt>
        <dd>
          {last === null && <span className="muted">{t('user.neverLoggedIn')}</span>}
          {last !== null && [when(last), address && t('audit.from', { address })].filter(Boolean).join(' · ')}
        </dd>
        <dt>{t('users.factor')}</dt>
        <dd>{t(user.second_factor ? 'user.on' : 'user.off')}</dd>
      </dl>
      <Unlock {...props} />
      <UserAccess {...props} />
      <p><Link to={`/admin/audit?user=${user.id}`}>{t('user.audit')}</Link></p>
    </Section>
  );
}
