// Owns the login: username and password, and the second factor if the server asks for it.

import { useEffect, useState } from 'react';
import { api } from '../api/endpoints';
import { asProblem } from '../api/problem';
import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { Link, navigate, useAddress } from '../router';
import { useSession } from '../session';
import { Button } from '../ui/button';
import { CodeField, PasswordField, UsernameField } from '../ui/field';
import { Form } from '../ui/form';
import { Notice } from '../ui/notice';
import { Page } from '../ui/page';

interface Typed {
  username: string;
  password: string;
}

export function Login() {
  const { loggedIn } = useSession();
  const { path } = useAddress();
  // The credentials were right, but a code of the second factor is missing.
  const [typed, setTyped] = useState<Typed | null>(null);

  // If the login replaced another page, that page appears without navigation.
  useEffect(() => {
    if (loggedIn && path === '/login') navigate('/', { replace: true });
  }, [loggedIn, path]);

  return typed
    ? <SecondStep typed={typed} onBack={() => setTyped(null)} />
    : <FirstStep onCodeNeeded={setTyped} />;
}

function FirstStep({ onCodeNeeded }: { onCodeNeeded: (typed: Typed) => void }) {
  const { t } = useLanguage();
  const { reason } = useSession();
  const { path } = useAddress();

  async function send(text: (name: string) => string) {
    const typed = { username: text('username'), password: text('password') };
    try {
      await api.logIn(typed);
    } catch (thrown) {
      if (asProblem(thrown).code !== 'SecondFactorRequired') throw thrown;
      onCodeNeeded(typed);
    }
  }

  const why = reason && reason !== 'user' ? t('login.ended') : path !== '/login' && t('login.first');
  return (
    <Page title={t('login.title')} narrow>
      {why && <Notice kind="plain">{why}</Notice>}
      <Form submit={t('login.submit')} send={send}>
        <UsernameField label={t('login.username')} />
        <PasswordField />
      </Form>
      <OtherWays />
    </Page>
  );
}

function OtherWays() {
  const { t } = useLanguage();
  const { mail, registration } = useConfig();
  return (
    <div className="aside">
      <p>{mail ? <Link to="/forgot">{t('login.forgot')}</Link> : t('login.forgotNoMail')}</p>
      {registration !== 'closed' && (
        <p>{t('login.new')} <Link to="/register">{t('login.register')}</Link></p>
      )}
    </div>
  );
}

function SecondStep({ typed, onBack }: { typed: Typed; onBack: () => void }) {
  const { t } = useLanguage();
  const [recovery, setRecovery] = useState(false);
  const step = recovery ? 'recovery' : 'app';

  // The password was right a moment ago, so the code is wrong.
  const wrong = { words: { AuthenticationError: t('code.wrong') }, places: { AuthenticationError: 'otp' } };
  return (
    <Page title={t('code.title')} narrow>
      <Form key={step} submit={t('login.submit')} send={text => api.logIn({ ...typed, otp: text('otp') })} onCancel={onBack} {...wrong}>
        <CodeField
          autoFocus
          digits={!recovery}
          label={t(recovery ? 'code.recoveryLabel' : 'code.label')}
          hint={t(recovery ? 'code.recoveryIntro' : 'code.intro')}
        />
      </Form>
      <p className="aside">
        <Button look="link" onClick={() => setRecovery(!recovery)}>{t(recovery ? 'code.useApp' : 'code.useRecovery')}</Button>
      </p>
    </Page>
  );
}
