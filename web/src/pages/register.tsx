// Owns registration, in each mode of the server.

import { useEffect, useState } from 'react';
import { api } from '../api/endpoints';
import type { RegisterWith } from 'lictor-auth';
import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { linkSecrets } from '../link-secrets';
import { keepingReturn, returnHere } from '../return-to';
import { Link, navigate } from '../router';
import { say } from '../said';
import { useSession } from '../session';
import { EmailField, Field, PasswordField, UsernameField } from '../ui/field';
import { Form } from '../ui/form';
import { Page } from '../ui/page';
import { mailTo } from './check-mail';

export function Register() {
  const { registration } = useConfig();
  const { loggedIn } = useSession();
  const to = returnHere();
  const [unused] = useState(loggedIn && linkSecrets.invitation);
  useEffect(() => {
    if (unused) say('register.already');
  }, [unused]);
  useEffect(() => {
    if (loggedIn) navigate(to === null ? '/' : keepingReturn('/login', to), { replace: true });
  }, [loggedIn, to]);
  return registration === 'closed' ? <Closed /> : <Open />;
}

function Open() {
  const { t } = useLanguage();
  const { registration } = useConfig();

  async function send(text: (name: string) => string) {
    const account: RegisterWith = {
      username: text('username').trim(),
      password: text('password'),
      ...(registration === 'email' && { email: text('email') }),
      ...(registration === 'invite' && { invitation: text('invitation') }),
    };
    const { loggedIn } = await api.register(account);
    if (!loggedIn) {
      mailTo({ email: text('email'), account });
      navigate('/check-mail');
    }
    linkSecrets.invitation = null;
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
      <p className="aside">{t('register.have')} <Link to={keepingReturn('/login', returnHere())}>{t('login.title')}</Link></p>
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
