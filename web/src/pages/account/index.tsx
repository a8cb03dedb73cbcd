// Owns the account page: the sections about one's own account.

import { useLanguage } from '../../i18n';
import { useMe } from '../../me';
import { Loading } from '../../ui/loading';
import { Page } from '../../ui/page';
import { DeleteAccount } from './delete';
import { Password } from './password';
import { Profile } from './profile';
import { SecondFactor } from './second-factor';
import { Sessions } from './sessions';

export function Account() {
  const { t } = useLanguage();
  const me = useMe();
  return (
    <Page title={t('account.title')}>
      {me.data ? (
        <>
          <Profile me={me.data} />
          <Password me={me.data} />
          <SecondFactor me={me.data} onChange={me.reload} />
          <Sessions />
          <DeleteAccount me={me.data} />
        </>
      ) : (
        <Loading of={me} />
      )}
    </Page>
  );
}
