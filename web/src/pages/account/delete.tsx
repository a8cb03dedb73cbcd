// Owns deleting one's own account, which requires the password and a code of the second factor.

import { useState } from 'react';
import { api } from '../../api/endpoints';
import type { Me } from '../../api/types';
import { useLanguage } from '../../i18n';
import { navigate } from '../../router';
import { say } from '../../said';
import { Button } from '../../ui/button';
import { Confirm } from '../../ui/confirm';
import { Section } from '../../ui/section';
import { Proof } from './proof';

export function DeleteAccount({ me }: { me: Me }) {
  const { t } = useLanguage();
  const [asking, setAsking] = useState(false);

  async function send(text: (name: string) => string) {
    await api.deleteMe(text('password'), text('otp'));
    navigate('/');
    say('delete.done');
  }

  return (
    <Section title={t('delete.title')}>
      <p>{t('delete.text')}</p>
      <Button look="danger" onClick={() => setAsking(true)}>{t('delete.title')}</Button>
      {asking && (
        <Confirm
          title={t('delete.title')}
          text={t('delete.text')}
          submit={t('delete.submit')}
          send={send}
          onClose={() => setAsking(false)}
        >
          <Proof me={me} />
        </Confirm>
      )}
    </Section>
  );
}
