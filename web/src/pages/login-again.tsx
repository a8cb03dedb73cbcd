// Owns the dialog for a fresh login, which the server requires for some requests. The page behind it
// stays as it is.

import { useEffect, useState } from 'react';
import { api } from '../api/endpoints';
import { asProblem } from '../api/problem';
import type { Me } from '../api/types';
import { useLanguage } from '../i18n';
import { settleFreshLogin, useFreshLoginAsked } from '../login-again';
import { useMe } from '../me';
import { CodeField, PasswordField, UsernameField } from '../ui/field';
import { Confirm } from '../ui/confirm';

export function LoginAgain() {
  const asked = useFreshLoginAsked();
  // Pages that can change something are shown only after this is loaded.
  const { data: me } = useMe();
  // After a logout in another tab, the waiting requests must not run for the next user.
  const loggedOut = asked && !me;
  useEffect(() => {
    if (loggedOut) settleFreshLogin(false);
  }, [loggedOut]);
  return asked && me ? <Dialog me={me} /> : null;
}

function Dialog({ me }: { me: Me }) {
  const { t } = useLanguage();
  const [codeNeeded, setCodeNeeded] = useState(me.second_factor);

  async function send(text: (name: string) => string) {
    try {
      await api.logInAgain({ username: me.username, password: text('password'), otp: text('otp') || undefined });
      settleFreshLogin(true);
    } catch (thrown) {
      if (asProblem(thrown).code === 'SecondFactorRequired') setCodeNeeded(true);
      throw thrown;
    }
  }

  return (
    <Confirm
      title={t('again.title')}
      text={t('again.text')}
      submit={t('login.submit')}
      danger={false}
      send={send}
      words={{ AuthenticationError: t(codeNeeded ? 'again.wrong' : 'error.WrongPassword') }}
      onClose={() => settleFreshLogin(false)}
    >
      <UsernameField defaultValue={me.username} readOnly />
      <PasswordField />
      {codeNeeded && <CodeField hint={t('code.either')} />}
    </Confirm>
  );
}
