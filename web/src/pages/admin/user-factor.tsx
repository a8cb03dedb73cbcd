// Owns taking away the second factor of a user who has lost it.

import { useState } from 'react';
import { adminApi } from '../../api/endpoints';
import { useLanguage } from '../../i18n';
import { Button } from '../../ui/button';
import { Confirm } from '../../ui/confirm';
import { Outcome } from '../../ui/outcome';
import { Section } from '../../ui/section';
import type { UserProps } from './user';

export function UserFactor({ user, onChange }: UserProps) {
  const { t } = useLanguage();
  const [asking, setAsking] = useState(false);
  const [done, setDone] = useState(false);
  const name = user.username;

  async function send() {
    await adminApi.resetSecondFactor(user.id);
    setAsking(false);
    setDone(true);
    onChange();
  }

  if (!user.second_factor && !done) return null;
  return (
    <Section title={t('users.factor')}>
      {done ? <Outcome>{t('user.factorReset', { name })}</Outcome> : (
        <>
          <p>{t('user.factorText', { name })}</p>
          <Button onClick={() => setAsking(true)}>{t('user.factorDo')}</Button>
        </>
      )}
      {asking && (
        <Confirm
          title={t('user.factorDo')}
          text={t('user.factorAsk', { name })}
          submit={t('user.factorDo')}
          send={send}
          onClose={() => setAsking(false)}
        />
      )}
    </Section>
  );
}
