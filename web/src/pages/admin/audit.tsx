// Owns the audit: who did what, when and from which IP address; newest first, of one user or of all.

import { useState } from 'react';
import { adminApi } from '../../api/endpoints';
import type { AuditEntry } from '../../api/types';
import { useLanguage, type Key } from '../../i18n';
import { en } from '../../i18n/en';
import { useLoad } from '../../load';
import { Link, useAddress } from '../../router';
import { Loading } from '../../ui/loading';
import { AdminPage } from './frame';
import { Paging } from './paging';

export function Audit() {
  const { t } = useLanguage();
  const user = Number(useAddress().query.get('user')) || undefined;
  return (
    <AdminPage title={t('admin.audit')}>
      {user && (
        <p className="filter">
          <Link to={`/admin/users/${user}`}>{t('audit.of', { id: user })}</Link>
          <Link to="/admin/audit">{t('audit.everyone')}</Link>
        </p>
      )}
      <Entries key={user} user={user} />
    </AdminPage>
  );
}

function Entries({ user }: { user: number | undefined }) {
  const { t } = useLanguage();
  const [from, setFrom] = useState<number | undefined>();
  const page = useLoad(() => adminApi.audit(user, from), `${from}`);

  if (!page.data) return <Loading of={page} />;
  if (page.data.entries.length === 0) return <p className="muted">{t('audit.none')}</p>;
  return (
    <>
      <ol className="rows">{page.data.entries.map(entry => <Row key={entry.id} entry={entry} />)}</ol>
      <Paging from={from} next={page.data.next} onMove={setFrom} />
    </>
  );
}

function Row({ entry }: { entry: AuditEntry }) {
  const { t, when } = useLanguage();
  const { at, user, name, actor, address, detail } = entry;
  const by = actor !== null && actor !== user && t('audit.by', { actor });
  const circumstances = [by, address && t('audit.from', { address }), detail].filter(Boolean);
  return (
    <li className="row audit">
      <time className="muted" dateTime={new Date(at * 1000).toISOString()}>{when(at)}</time>
      <strong>{useEventWords(entry.event)}</strong>
      <span>{user !== null ? <Link to={`/admin/users/${user}`}>{name ?? user}</Link> : name}</span>
      <span className="muted">{circumstances.join(' · ')}</span>
    </li>
  );
}

// An event that this app does not know is shown by its name.
function useEventWords(event: string): string {
  const { t } = useLanguage();
  const key = `event.${event}`;
  return key in en ? t(key as Key) : event;
}
