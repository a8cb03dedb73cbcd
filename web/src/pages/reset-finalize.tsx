// Owns the page of the link that sets a new password, with a code of the second factor if the server
// asks for one.

import { useState } from 'react';
import { api } from '../api/endpoints';
import { asProblem } from '../api/problem';
import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { linkSecrets } from '../link-secrets';
import { Link } from '../router';
import { CodeField, PasswordField } from '../ui/field';
import { Form } from '../ui/form';
import { Page } from '../ui/page';

// After these errors the link cannot be used.
const SPENT = ['InvalidResetToken', 'ExpiredAccessError', 'MissingUserError', 'InvalidTokenHeader', 'MissingClaimError', 'MisusedRegistrationToken'];

export function ResetFinalize() {
  const [name, setName] = useState<string | null>(null);
  const [spent, setSpent] = useState(!linkSecrets.token);
  if (name !== null) return <Done name={name} />;
  if (spent) return <Failed />;
  return <NewPassword token={linkSecrets.token ?? ''} onDone={setName} onSpent={() => setSpent(true)} />;
}

interface Props {
  token: string;
  onDone: (name: string) => void;
  onSpent: () => void;
}

function NewPassword({ token, onDone, onSpent }: Props) {
  const { t } = useLanguage();
  const [codeNeeded, setCodeNeeded] = useState(false);

  async function send(text: (name: string) => string) {
    const otp = text('otp');
    try {
      const name = await api.resetFinalize(token, { password: text('password'), ...(otp && { otp }) });
      linkSecrets.token = null;
      onDone(name);
    } catch (thrown) {
      const { code } = asProblem(thrown);
      if (code === 'SecondFactorRequired') setCodeNeeded(true);
      if (SPENT.includes(code)) return onSpent();
      throw thrown;
    }
  }

  return (
    <Page title={t('reset.title')} narrow>
      <Form submit={t('reset.submit')} send={send}>
        <PasswordField fresh />
        {codeNeeded && <CodeField autoFocus hint={t('code.either')} />}
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
