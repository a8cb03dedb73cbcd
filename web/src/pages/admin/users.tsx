// Owns the list of users, with search and paging.

import { useEffect, useState } from 'react';
import { adminApi } from '../../api/endpoints';
import type { User } from '../../api/types';
import { useLanguage } from '../../i18n';
import { useLoad } from '../../load';
import { Link } from '../../router';
import { Loading } from '../../ui/loading';
import { AdminPage } from './frame';
import { Paging } from './paging';

const TYPING_PAUSE = 250;

export function Users() {
  const { t } = useLanguage();
  const [typed, setTyped] = useState('');
  const search = useSettled(typed.trim());
  return (
    <AdminPage title={t('admin.users')}>
      <search className="search">
        <label htmlFor="search">{t('users.search')}</label>
        <input id="search" type="search" autoComplete="off" spellCheck={false} maxLength={200} value={typed} onChange={event => setTyped(event.target.value)} />
      </search>
      {/* A new search begins at its first page. */}
      <Found key={search} search={search} />
    </AdminPage>
  );
}

function Found({ search }: { search: string }) {
  const { t } = useLanguage();
  const [from, setFrom] = useState<number | undefined>();
  const page = useLoad(() => adminApi.users(search, from), `${from}`);

  if (!page.data) return <Loading of={page} />;
  if (page.data.users.length === 0) return <p role="status">{t('users.none')}</p>;
  return (
    <>
      <ul className="rows">{page.data.users.map(user => <Row key={user.id} user={user} />)}</ul>
      <Paging from={from} next={page.data.next} onMove={setFrom} />
    </>
  );
}

function Row({ user }: { user: User }) {
  const { t } = useLanguage();
  return (
    <li className="row users">
      <div className="row-text">
        <Link to={`/admin/users/${user.id}`}>{user.username}</Link>
        <span className="muted">{user.email ?? ''}</span>
      </div>
      <div className="badges">
        {user.roles.map(role => <span key={role} className="badge">{role}</span>)}
        {user.second_factor && <span className="badge">{t('users.factor')}</span>}
        {!user.active && <span className="badge bad">{t('users.inactive')}</span>}
      </div>
    </li>
  );
}

// The typed text, after a pause in typing.
function useSettled(typed: string): string {
  const [settled, setSettled] = useState(typed);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(typed), TYPING_PAUSE);
    return () => clearTimeout(timer);
  }, [typed]);
  return settled;
}
