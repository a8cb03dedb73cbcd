// Owns the account page: the sections about one's own account.

import { useState } from 'react';
import { api } from '../../api/endpoints';
import { useLanguage } from '../../i18n';
import { useLoad } from '../../load';
import { useMe } from '../../me';
import { useSession } from '../../session';
import { Loading } from '../../ui/loading';
import { Page } from '../../ui/page';
import { AppPasswords } from './app-passwords';
import { DeleteAccount } from './delete';
import { Password } from './password';
import { Profile } from './profile';
import { SecondFactor } from './second-factor';
import { Sessions } from './sessions';

export function Account() {
  const { t } = useLanguage();
  const me = useMe();
  const { claims } = useSession();
  // A password change, after which there is a new session, may have ended them.
  const [passwordChanges, setPasswordChanges] = useState(0);
  const appPasswords = useLoad(api.appPasswords, 'app passwords', claims?.jti);
  return (
    <Page title={t('account.title')}>
      {me.data ? (
        <>
          <Profile me={me.data} />
          <Password me={me.data} appPasswords={Boolean(appPasswords.data?.app_passwords.length)} onChanged={() => setPasswordChanges(before => before + 1)} />
          <SecondFactor me={me.data} onChange={me.reload} />
          <Sessions passwordChanges={passwordChanges} />
          <AppPasswords me={me.data} list={appPasswords} />
          <DeleteAccount me={me.data} />
        </>
      ) : (
        <Loading of={me} />
      )}
    </Page>
  );
}
