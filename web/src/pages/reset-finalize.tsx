// Owns the page of the link that sets a new password. It asks the server about the link before anybody
// types, and asks for a code of the second factor in a step of its own.

import { useEffect, useState } from 'react';
import { api } from '../api/endpoints';
import { asProblem } from '../api/problem';
import type { PasswordLink } from '../api/types';
import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { linkSecrets } from '../link-secrets';
import { useLoad } from '../load';
import { useMe } from '../me';
import { Link } from '../router';
import { PasswordField, UsernameField } from '../ui/field';
import { Form } from '../ui/form';
import { Loading } from '../ui/loading';
import { Notice } from '../ui/notice';
import { Page } from '../ui/page';
import { CodeStep } from './code-step';

// After these errors the link cannot be used.
const SPENT = [
  'InvalidResetToken', 'ExpiredAccessError', 'MissingUserError', 'InvalidUserError', 'InvalidTokenHeader', 'MissingClaimError',
  'MisusedRegistrationToken',
];

export function ResetFinalize() {
  const [token] = useState(linkSecrets.token);
  const [name, setName] = useState<string | null>(null);
  const [spent, setSpent] = useState(!token);

  function done(user: string) {
    linkSecrets.token = null;
    setName(user);
  }

  function useless() {
    linkSecrets.token = null;
    setSpent(true);
  }

  if (name !== null) return <Done name={name} />;
  if (spent || !token) return <Failed />;
  return <Checked token={token} onDone={done} onSpent={useless} />;
}

interface Props {
  token: string;
  onDone: (name: string) => void;
  onSpent: () => void;
}

function Checked({ token, onDone, onSpent }: Props) {
  const link = useLoad(() => api.checkReset(token), 'link');
  const spent = link.problem && SPENT.includes(link.problem.code);
  useEffect(() => {
    if (spent) onSpent();
  }, [spent]);

  if (!link.data) return spent ? null : <Loading of={link} />;
  return <NewPassword token={token} link={link.data} onDone={onDone} onSpent={onSpent} />;
}

function NewPassword({ token, link, onDone, onSpent }: Props & { link: PasswordLink }) {
  const { t } = useLanguage();
  const { data: me } = useMe();
  // The password is good, but a code of the second factor is missing.
  const [password, setPassword] = useState<string | null>(null);

  async function set(chosen: string, otp?: string) {
    try {
      onDone(await api.resetFinalize(token, { password: chosen, ...(otp && { otp }) }));
    } catch (thrown) {
      const { code } = asProblem(thrown);
      if (code === 'SecondFactorRequired' && !otp) return setPassword(chosen);
      if (SPENT.includes(code)) return onSpent();
      throw thrown;
    }
  }

  if (password !== null) {
    return (
      <CodeStep
        submit={t('reset.submit')}
        send={otp => set(password, otp)}
        onBack={() => setPassword(null)}
        cancel={t('reset.back')}
      />
    );
  }
  return (
    <Page step="password" title={t('reset.title')} narrow>
      {me && me.username !== link.user && <Notice kind="plain">{t('link.other', { name: me.username, user: link.user })}</Notice>}
      <Form submit={t(link.second_factor ? 'factor.continue' : 'reset.submit')} send={text => set(text('password'))}>
        {/* Password managers store the new password for this account. */}
        <UsernameField defaultValue={link.user} readOnly />
        <PasswordField fresh autoFocus />
      </Form>
    </Page>
  );
}

function Done({ name }: { name: string }) {
  const { t } = useLanguage();
  return (
    <Page step="done" title={t('reset.done')} narrow>
      <p className="intro">{t('reset.doneText', { name })}</p>
      <div className="buttons"><Link className="button main" to="/">{t('finalize.home')}</Link></div>
    </Page>
  );
}

function Failed() {
  const { t } = useLanguage();
  const { mail } = useConfig();
  return (
    <Page step="failed" title={t('finalize.failed')} narrow>
      <p className="intro">{t('reset.failedText')}</p>
      {mail ? (
        <div className="buttons"><Link className="button main" to="/forgot">{t('reset.another')}</Link></div>
      ) : (
        <p>{t('login.forgotNoMail')}</p>
      )}
    </Page>
  );
}
