// Owns the page that replaces all others while an account must set up a second factor, because the
// server refuses other requests until then.

import { useState } from 'react';
import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { useMe } from '../me';
import { Page } from '../ui/page';
import { Enrol } from './account/enrol';
import { RecoveryCodes } from './account/recovery-codes';

interface Props {
  // The recovery codes show. Until `onKept`, this page must stay.
  onCodes: () => void;
  onKept: () => void;
}

export function RequiredFactor({ onCodes, onKept }: Props) {
  const { t } = useLanguage();
  const { issuer } = useConfig();
  const me = useMe();
  const [codes, setCodes] = useState<string[] | null>(null);

  function show(fresh: string[]) {
    setCodes(fresh);
    onCodes();
  }

  // The requested page appears at once, even if the account cannot be loaded now.
  function kept() {
    if (me.data) me.set({ ...me.data, second_factor: true });
    me.reload();
    onKept();
  }

  return (
    <Page title={t('required.title')} narrow>
      {codes ? (
        <RecoveryCodes codes={codes} name={me.data?.username ?? ''} onKept={kept} heading="h2" />
      ) : (
        <>
          <p className="intro">{t('required.text', { issuer })}</p>
          <Enrol onDone={show} />
        </>
      )}
    </Page>
  );
}
