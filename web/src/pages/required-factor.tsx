// Owns the page that replaces all others while an account must set up a second factor, because the
// server refuses other requests until then.

import { useState } from 'react';
import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { useMe } from '../me';
import { Page } from '../ui/page';
import { Enrol } from './account/enrol';
import { RecoveryCodes } from './account/recovery-codes';

export function RequiredFactor() {
  const { t } = useLanguage();
  const { issuer } = useConfig();
  const me = useMe();
  const [codes, setCodes] = useState<string[] | null>(null);
  return (
    <Page title={t('required.title')} narrow>
      {codes ? (
        // Then the account is loaded again, and the requested page appears.
        <RecoveryCodes codes={codes} name={me.data?.username ?? ''} onKept={me.reload} heading="h2" />
      ) : (
        <>
          <p className="intro">{t('required.text', { issuer })}</p>
          <Enrol onDone={setCodes} />
        </>
      )}
    </Page>
  );
}
