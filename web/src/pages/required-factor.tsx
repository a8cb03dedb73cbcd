// Owns the page that stands in the place of all others while an account must have a second factor
// and has none: the server answers nothing else before.

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
        // Only then is the account read again, and the page shown that was asked for.
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
