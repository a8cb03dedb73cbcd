// Owns adding a user: an account without a password, and the link with which its owner sets one.

import { useState } from 'react';
import { adminApi } from '../../api/endpoints';
import type { NewUser } from '../../api/types';
import { useLanguage } from '../../i18n';
import { Link } from '../../router';
import { Button } from '../../ui/button';
import { EmailField, UsernameField } from '../../ui/field';
import { Form } from '../../ui/form';
import { Outcome } from '../../ui/outcome';
import { AdminPage } from './frame';
import { parseRoles } from './roles';
import { LinkActions } from './user-link';
import { Roles } from './user-roles';

export function AddUser() {
  const { t } = useLanguage();
  const [added, setAdded] = useState<NewUser | null>(null);

  async function send(text: (name: string) => string) {
    const email = text('email').trim();
    setAdded(await adminApi.addUser({
      username: text('username').trim(),
      ...(email && { email }),
      roles: parseRoles(text('roles')),
    }));
  }

  return (
    <AdminPage title={t('users.add')}>
      {added ? <Added user={added} onMore={() => setAdded(null)} /> : (
        <>
          <p className="intro">{t('user.addText')}</p>
          <Form submit={t('users.add')} send={send}>
            <UsernameField autoComplete="off" autoFocus />
            <EmailField label={`${t('field.email')} (${t('field.optional')})`} required={false} autoComplete="off" />
            <Roles value={['user']} optional />
          </Form>
        </>
      )}
      <p className="aside"><Link to="/admin">{t('user.back')}</Link></p>
    </AdminPage>
  );
}

function Added({ user: { user, reset_link: link }, onMore }: { user: NewUser; onMore: () => void }) {
  const { t } = useLanguage();
  const name = user.username;
  return (
    <>
      <Outcome>{t('user.added', { name })}</Outcome>
      <p>{t('user.linkText', { name })}</p>
      <LinkActions id={user.id} email={user.email} given={link ?? null} />
      <div className="buttons">
        <Link className="button plain" to={`/admin/users/${user.id}`}>{t('user.open', { name })}</Link>
        <Button onClick={onMore}>{t('users.addAnother')}</Button>
      </div>
    </>
  );
}
