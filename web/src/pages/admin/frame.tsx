// Owns the frame of the pages for administrators, and the message that other users see instead.

import type { ReactNode } from 'react';
import { useIsAway } from '../../checklist';
import { NavLink } from '../../frame';
import { useLanguage } from '../../i18n';
import { Link } from '../../router';
import { NoAdmin } from '../../ui/no-admin';
import { Page } from '../../ui/page';

export function AdminPage({ title, children }: { title: string; children: ReactNode }) {
  const { t } = useLanguage();
  const away = useIsAway();
  return (
    <>
      <nav className="tabs" aria-label={t('admin.label')}>
        <NavLink to="/admin">{t('admin.users')}</NavLink>
        <NavLink to="/admin/invitations">{t('admin.invitations')}</NavLink>
        <NavLink to="/admin/audit">{t('admin.audit')}</NavLink>
        <NavLink to="/admin/mails">{t('admin.mails')}</NavLink>
        {!away && <NavLink to="/admin/checklist">{t('setup.list')}</NavLink>}
      </nav>
      <Page title={title}>{children}</Page>
    </>
  );
}

export function AdminOnly() {
  const { t } = useLanguage();
  return (
    <Page title={t('admin.only')} narrow>
      <p className="intro">{t('admin.onlyText')}</p>
      <NoAdmin />
      <div className="buttons"><Link className="button plain" to="/">{t('finalize.home')}</Link></div>
    </Page>
  );
}
