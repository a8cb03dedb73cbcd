// Owns registration, in each mode of the server.

import { useEffect } from 'react';
import { api } from '../api/endpoints';
import type { RegisterWith } from '../auth/index';
import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { linkSecrets } from '../link-secrets';
import { Link, navigate } from '../router';
import { useSession } from '../session';
import { EmailField, Field, PasswordField, UsernameField } from '../ui/field';
import { Form } from '../ui/form';
import { Page } from '../ui/page';
import { mailTo } from './check-mail';

export function Register() {
  const { registration } = useConfig();
  const { loggedIn } = useSession();
  useEffect(() => {
    if (loggedIn) navigate('/', { replace: true });
  }, [loggedIn]);
  return registration === 'closed' ? <Closed /> : <Open />;
}

function Open() {
  const { t } = useLanguage();
  const { registration } = useConfig();

  async function send(text: (name: string) => string) {
    const account: RegisterWith = {
      username: text('username'),
      password: text('password'),
      ...(registration === 'email' && { email: text('email') }),
      ...(registration === 'invite' && { invitation: text('invitation') }),
    };
    const { loggedIn } = await api.register(account);
    if (!loggedIn) {
      mailTo('registration', text('email'));
      navigate('/check-mail');
    }
  }

  return (
    <Page title={t('register.title')} narrow>
      <Form submit={t('register.submit')} send={send}>
        {registration === 'invite' && (
          <Field
            name="invitation"
            label={t('field.invitation')}
            hint={t('register.invitationHint')}
            className="code"
            autoComplete="off"
            spellCheck={false}
            defaultValue={linkSecrets.invitation ?? ''}
          />
        )}
        <UsernameField />
        {registration === 'email' && <EmailField hint={t('register.emailHint')} />}
        <PasswordField fresh label={t('field.password')} />
      </Form>
      <p className="aside">{t('register.have')} <Link to="/login">{t('login.title')}</Link></p>
    </Page>
  );
}

function Closed() {
  const { t } = useLanguage();
  const { issuer } = useConfig();
  return (
    <Page title={t('register.closedTitle')} narrow>
      <p className="intro">{t('register.closedText', { issuer })}</p>
      <div className="buttons"><Link className="button plain" to="/login">{t('login.title')}</Link></div>
    </Page>
  );
}
