// Owns the form of the login: username and password, and the second factor if the server asks for it.

import { useState, type MouseEvent, type ReactNode } from 'react';
import { api } from '../api/endpoints';
import { asProblem } from '../api/problem';
import type { LogInWith } from 'lictor-auth';
import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { keepingReturn, returnHere } from '../return-to';
import { Link, useAddress } from '../router';
import { useSession } from '../session';
import { AppsLogin } from '../ui/apps-login';
import { PasswordField, Tick, UsernameField } from '../ui/field';
import { Form } from '../ui/form';
import { NoAdmin } from '../ui/no-admin';
import { Notice } from '../ui/notice';
import { Page } from '../ui/page';
import { CodeStep } from './code-step';
import { carryEmail } from './forgot';

interface Typed {
  username: string;
  password: string;
  remember: boolean;
}

// The refusals of a cookie for this page, such as over plain HTTP.
const NO_COOKIE = ['InsecureCookie', 'OriginNotAllowed'];

// The pages that are the login themselves.
const OWN_PAGES = ['/', '/login'];

interface Props {
  // Instead of the reason why a login is needed.
  notice?: string;
  // Instead of the title of the login page.
  title?: string;
  // Shown below the form.
  children?: ReactNode;
  // The login is for an app behind the proxy, which sees nothing but the cookie.
  toApp?: boolean;
}

export function LoginForm({ notice, title, children, toApp = false }: Props) {
  const { cookie } = useConfig();
  // After a cancelled second step, the first one still has them, without the password.
  const [typed, setTyped] = useState<Typed | null>(null);
  // The credentials were right, but a code of the second factor is missing.
  const [coding, setCoding] = useState(false);

  function askCode(right: Typed) {
    setTyped(right);
    setCoding(true);
  }

  function back() {
    setTyped(before => before && { ...before, password: '' });
    setCoding(false);
  }

  async function logIn(credentials: LogInWith) {
    try {
      await api.logIn(toApp || cookie ? { ...credentials, cookie: true } : credentials);
    } catch (thrown) {
      // Here no app needs the cookie.
      if (toApp || !NO_COOKIE.includes(asProblem(thrown).code)) throw thrown;
      await api.logIn(credentials);
    }
  }

  if (typed && coding) return <SecondStep typed={typed} logIn={logIn} onBack={back} />;
  return (
    <FirstStep notice={notice} title={title} toApp={toApp} typed={typed} logIn={logIn} onCodeNeeded={askCode}>
      {children}
    </FirstStep>
  );
}

interface FirstStepProps {
  notice: string | undefined;
  title: string | undefined;
  children: ReactNode;
  toApp: boolean;
  // What was typed before, which is still in the fields.
  typed: Typed | null;
  logIn: (credentials: LogInWith) => Promise<void>;
  onCodeNeeded: (typed: Typed) => void;
}

function FirstStep({ notice, title, children, toApp, typed: before, logIn, onCodeNeeded }: FirstStepProps) {
  const { t } = useLanguage();
  const { reason } = useSession();
  const { path } = useAddress();

  async function send(text: (name: string) => string) {
    // Keyboards of phones add a space to a word that they complete.
    const typed = { username: text('username').trim(), password: text('password'), remember: text('remember') === 'on' };
    try {
      await logIn(typed);
    } catch (thrown) {
      if (asProblem(thrown).code !== 'SecondFactorRequired') throw thrown;
      onCodeNeeded(typed);
    }
  }

  const why = notice ?? (reason && reason !== 'user' ? t('login.ended') : !OWN_PAGES.includes(path) && t('login.first'));
  return (
    <Page title={title ?? t('login.title')} narrow>
      {!toApp && <AppsLogin />}
      {why && <Notice kind="plain">{why}</Notice>}
      <Form submit={t('login.submit')} send={send}>
        <UsernameField autoFocus label={t('login.username')} defaultValue={before?.username} />
        <PasswordField />
        <Tick name="remember" label={t('login.remember')} hint={t('login.rememberHint')} ticked={before?.remember ?? true} />
      </Form>
      <OtherWays />
      {children}
      {!toApp && <NoAdmin />}
    </Page>
  );
}

function OtherWays() {
  const { t } = useLanguage();
  const { mail, registration } = useConfig();
  return (
    <div className="aside">
      <p>{mail ? <Link to="/forgot" onClick={carryTyped}>{t('login.forgot')}</Link> : t('login.forgotNoMail')}</p>
      {registration !== 'closed' && (
        <p>{t('login.new')} <Link to={keepingReturn('/register', returnHere())}>{t('login.register')}</Link></p>
      )}
    </div>
  );
}

// What was typed as the name, if it is an e-mail address, is asked for on the next page.
function carryTyped({ currentTarget }: MouseEvent<HTMLElement>) {
  const name = currentTarget.closest('.page')?.querySelector<HTMLInputElement>('input[name=username]')?.value;
  carryEmail(name?.includes('@') ? name.trim() : '');
}

interface SecondStepProps {
  typed: Typed;
  logIn: (credentials: LogInWith) => Promise<void>;
  onBack: () => void;
}

function SecondStep({ typed, logIn, onBack }: SecondStepProps) {
  const { t } = useLanguage();
  return (
    <CodeStep
      submit={t('login.submit')}
      send={otp => logIn({ ...typed, otp })}
      onBack={onBack}
      // The password was right a moment ago, so the code is wrong.
      words={{ AuthenticationError: t('code.wrong') }}
      places={{ AuthenticationError: 'otp' }}
    />
  );
}
