// Owns deleting one's own account, which takes the password once more.

import { useState } from 'react';
import { api } from '../../api/endpoints';
import { useLanguage } from '../../i18n';
import { navigate } from '../../router';
import { auth } from '../../session';
import { Button } from '../../ui/button';
import { Confirm } from '../../ui/confirm';
import { PasswordField } from '../../ui/field';
import { Section } from '../../ui/section';

export function DeleteAccount() {
  const { t } = useLanguage();
  const [asking, setAsking] = useState(false);

  async function send(text: (name: string) => string) {
    await api.deleteMe(text('password'));
    navigate('/');
    auth.forget('user');
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
          <PasswordField label={t('field.currentPassword')} />
        </Confirm>
      )}
    </Section>
  );
}
