// Owns the page of the link that the server shows at its start: it makes the first administrator. The
// link works once, until the server starts again.

import { useEffect, useState } from 'react';
import { api } from '../api/endpoints';
import { asProblem } from '../api/problem';
import { useConfigLoad } from '../config';
import { useLanguage } from '../i18n';
import { useMe } from '../me';
import { Link, navigate } from '../router';
import { useSession } from '../session';
import { setupSecret } from '../setup-secret';
import { PasswordField, UsernameField } from '../ui/field';
import { Form } from '../ui/form';
import { Notice } from '../ui/notice';
import { Commands } from '../ui/no-admin';
import { Page } from '../ui/page';

export function Setup() {
  const { data: config, reload } = useConfigLoad();
  const [secret, setSecret] = useState(setupSecret.get);
  const [refused, setRefused] = useState(false);

  function forget() {
    setupSecret.set(null);
    setSecret(null);
  }

  // The secret of a link that comes too late is good for nothing.
  const over = !config?.setup;
  useEffect(() => {
    if (over) setupSecret.set(null);
  }, [over]);

  if (over) return <Done />;
  if (!secret) return <Missing refused={refused} />;
  return (
    <Ask
      secret={secret}
      onDone={() => {
        forget();
        navigate('/admin/checklist', { replace: true });
        reload();
      }}
      onRefused={code => {
        forget();
        setRefused(true);
        if (code === 'SetupDone') reload();
      }}
    />
  );
}

interface Props {
  secret: string;
  onDone: () => void;
  onRefused: (code: string) => void;
}

function Ask({ secret, onDone, onRefused }: Props) {
  const { t } = useLanguage();
  const { data: me } = useMe();

  async function send(text: (name: string) => string) {
    try {
      await api.setUp({ token: secret, username: text('username').trim(), password: text('password') });
      onDone();
    } catch (thrown) {
      const { code } = asProblem(thrown);
      if (code !== 'InvalidSetupToken' && code !== 'SetupDone') throw thrown;
      onRefused(code);
    }
  }

  return (
    <Page step="ask" title={t('setup.title')} narrow>
      <p className="intro">{t('setup.intro')}</p>
      {me && <Notice kind="plain">{t('setup.newAccount', { name: me.username })}</Notice>}
      <Form submit={t('setup.submit')} send={send}>
        <UsernameField autoFocus />
        <PasswordField fresh label={t('field.password')} />
      </Form>
    </Page>
  );
}

function Missing({ refused }: { refused: boolean }) {
  const { t } = useLanguage();
  return (
    <Page step="missing" title={t(refused ? 'finalize.failed' : 'setup.title')} narrow>
      <p className="intro">{t(refused ? 'setup.voidText' : 'setup.none')}</p>
      <Commands />
    </Page>
  );
}

function Done() {
  const { t } = useLanguage();
  const { loggedIn } = useSession();
  return (
    <Page step="done" title={t('setup.done')} narrow>
      <p className="intro">{t('setup.doneText')}</p>
      <div className="buttons">
        {loggedIn
          ? <Link className="button main" to="/">{t('finalize.home')}</Link>
          : <Link className="button main" to="/login">{t('login.title')}</Link>}
      </div>
    </Page>
  );
}
