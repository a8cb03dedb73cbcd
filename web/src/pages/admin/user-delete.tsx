// Owns deleting a user, after a question.

import { useState } from 'react';
import { adminApi } from '../../api/endpoints';
import { useLanguage } from '../../i18n';
import { navigate } from '../../router';
import { say } from '../../said';
import { Button } from '../../ui/button';
import { Confirm } from '../../ui/confirm';
import { Section } from '../../ui/section';
import type { UserProps } from './user';

export function DeleteUser({ user }: UserProps) {
  const { t } = useLanguage();
  const [asking, setAsking] = useState(false);
  const name = user.username;

  async function send() {
    await adminApi.deleteUser(user.id);
    say('user.deleted', { name });
    navigate('/admin', { replace: true });
  }

  return (
    <Section title={t('user.delete')}>
      <p>{t('user.deleteText', { name })}</p>
      <Button look="danger" onClick={() => setAsking(true)}>{t('user.delete')}</Button>
      {asking && (
        <Confirm
          title={t('user.delete')}
          text={t('user.deleteText', { name })}
          submit={t('user.deleteSubmit', { name })}
          send={send}
          onClose={() => setAsking(false)}
        />
      )}
    </Section>
  );
}
