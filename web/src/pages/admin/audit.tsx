// Owns the audit: who did what, when and from which IP address; the newest first, with filters and pages in
// the address.

import { adminApi } from '../../api/endpoints';
import type { AuditEntry } from '../../api/types';
import { useLanguage } from '../../i18n';
import { Link, useAddress } from '../../router';
import { AuditExport } from './audit-export';
import { AuditFilters } from './audit-filters';
import { detailWords } from './audit-details';
import { AdminPage } from './frame';
import { ListLoading } from './list-loading';
import { useListed } from './listed';
import { Paging } from './paging';

const PAGE = 50;

export function Audit() {
  const { t } = useLanguage();
  return (
    <AdminPage title={t('admin.audit')}>
      <AuditFilters />
      <Entries />
    </AdminPage>
  );
}

function Entries() {
  const { t } = useLanguage();
  const { query } = useAddress();
  const user = Number(query.get('user')) || null;
  const { page, busy, ...loading } = useListed(query => adminApi.audit(query, PAGE));

  if (!page) return <ListLoading of={loading} />;
  const { entries, next } = page;
  const name = entries.find(each => each.user === user)?.name ?? t('audit.number', { n: user ?? 0 });
  return (
    <>
      {user !== null && <p>{t('audit.only')} <Link to={`/admin/users/${user}`}>{name}</Link></p>}
      <AuditExport />
      {entries.length === 0 && (
        <p className="muted" role="status">
          {t(next === null ? 'audit.none' : 'audit.noneYet')}
          {(query.has('name') || query.has('address')) && ` ${t('audit.whole')}`}
        </p>
      )}
      {entries.length > 0 && (
        <ol className="rows" aria-busy={busy}>{entries.map(entry => <Row key={entry.id} entry={entry} />)}</ol>
      )}
      {loading.problem && <ListLoading of={loading} />}
      <Paging next={next} onward="before" />
    </>
  );
}

function Row({ entry }: { entry: AuditEntry }) {
  const language = useLanguage();
  const { t, exactly } = language;
  const { at, user, name, actor, address } = entry;
  const circumstances = [
    address !== null && address !== '-' && t('audit.from', { address }),
    address === null && t('audit.operator'),
    detailWords(entry, language),
  ];
  return (
    <li className="row audit">
      <time className="muted" dateTime={new Date(at * 1000).toISOString()}>{exactly(at)}</time>
      <strong>{useEventWords(entry.event)}</strong>
      <span>
        {user !== null && <UserLink id={user} name={name} />}
        {user === null && (name ?? (entry.event === 'login-failed' && <span className="muted">{t('audit.unknown')}</span>))}
      </span>
      <span className="muted">
        {actor !== null && actor !== user && <By id={actor} name={entry.actor_name} />}
        {circumstances.filter(Boolean).join(' · ')}
      </span>
    </li>
  );
}

function UserLink({ id, name }: { id: number; name: string | null }) {
  const { t } = useLanguage();
  return <Link to={`/admin/users/${id}`}>{name ?? t('audit.number', { n: id })}</Link>;
}

// The administrator who did it.
function By({ id, name }: { id: number; name: string | null }) {
  const { t } = useLanguage();
  const [before, after] = t('audit.by', { name: '\0' }).split('\0');
  return <>{before}<UserLink id={id} name={name} />{after} · </>;
}

// An event that this app does not know is shown by its name.
function useEventWords(event: string): string {
  const { t, has } = useLanguage();
  const key = `event.${event}`;
  return has(key) ? t(key) : event;
}
