// Owns the list of users: search, filters, order and pages, all of them in the address.

import { adminApi } from '../../api/endpoints';
import type { User } from '../../api/types';
import { useLanguage } from '../../i18n';
import { Link } from '../../router';
import { ChoiceFilter, Filters, TextFilter } from './filters';
import { AdminPage } from './frame';
import { ListLoading } from './list-loading';
import { useListed } from './listed';
import { Paging } from './paging';
import { UserState } from './user-state';

export function Users() {
  const { t } = useLanguage();
  return (
    <AdminPage title={t('admin.users')}>
      <div className="buttons">
        <Link className="button plain" to="/admin/users/new">{t('users.add')}</Link>
      </div>
      <UserFilters />
      <Found />
    </AdminPage>
  );
}

function UserFilters() {
  const { t } = useLanguage();
  const all = t('filter.all');
  const sort = (sort: string, order: string) => ({ sort, order });
  return (
    <Filters names={['search', 'role', 'state', 'second_factor', 'sort', 'order']}>
      <TextFilter className="wide" name="search" type="search" label={t('users.search')} />
      <TextFilter name="role" label={t('users.role')} maxLength={64} />
      <ChoiceFilter
        label={t('user.state')}
        choices={[
          [{ state: '' }, all],
          [{ state: 'active' }, t('user.active')],
          [{ state: 'inactive' }, t('users.inactive')],
          [{ state: 'unconfirmed' }, t('users.unconfirmed')],
        ]}
      />
      <ChoiceFilter
        label={t('users.factor')}
        choices={[
          [{ second_factor: '' }, all],
          [{ second_factor: 'true' }, t('user.on')],
          [{ second_factor: 'false' }, t('user.off')],
        ]}
      />
      <ChoiceFilter
        label={t('users.sort')}
        choices={[
          [sort('', ''), t('users.oldest')],
          [sort('created', 'desc'), t('users.newest')],
          [sort('name', ''), t('users.byName')],
          [sort('name', 'desc'), t('users.byNameBack')],
          [sort('last_login', 'desc'), t('users.lastSeen')],
          [sort('last_login', 'asc'), t('users.longAgo')],
        ]}
      />
    </Filters>
  );
}

function Found() {
  const { t, count } = useLanguage();
  const { page, busy, ...loading } = useListed(adminApi.users);

  if (!page) return <ListLoading of={loading} />;
  const { users, next, previous, total, total_exact: exact } = page;
  return (
    <>
      <p className="muted" role="status">
        {total === 0 ? t('users.none') : exact ? count('users.total', total) : t('users.totalAtLeast', { n: total })}
      </p>
      {users.length > 0 && (
        <ul className="rows" aria-busy={busy}>{users.map(user => <Row key={user.id} user={user} />)}</ul>
      )}
      {loading.problem && <ListLoading of={loading} />}
      <Paging next={next} previous={previous} />
    </>
  );
}

function Row({ user }: { user: User }) {
  const { t, when } = useLanguage();
  const { email, pending_email: pending, last_login: last } = user;
  const facts = [
    email,
    pending !== null && pending !== email && t('users.pending', { email: pending }),
    last !== null && t('users.lastLogin', { when: when(last) }),
  ];
  return (
    <li className="row users">
      <div className="row-text">
        <Link to={`/admin/users/${user.id}`}>{user.username}</Link>
        <span className="muted">{facts.filter(Boolean).join(' · ')}</span>
      </div>
      <div className="badges">
        {user.roles.map(role => <span key={role} className="badge">{role}</span>)}
        {user.second_factor && <span className="badge">{t('users.factor')}</span>}
        {user.state !== 'active' && <UserState user={user} />}
      </div>
    </li>
  );
}
