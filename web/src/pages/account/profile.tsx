// Owns the username and the e-mail address, and changing the e-mail address.

import { useState } from 'react';
import { api } from '../../api/endpoints';
import type { Me } from '../../api/types';
import { useConfig } from '../../config';
import { useLanguage } from '../../i18n';
import { Button } from '../../ui/button';
import { EmailField } from '../../ui/field';
import { Form } from '../../ui/form';
import { Said } from '../../ui/notice';
import { Section } from '../../ui/section';
import { Proof } from './proof';

export function Profile({ me }: { me: Me }) {
  const { t, day } = useLanguage();
  const { mail } = useConfig();
  const [changing, setChanging] = useState(false);
  const [sentTo, setSentTo] = useState('');

  async function send(text: (name: string) => string) {
    await api.changeEmail(text('email'), text('password'), text('otp'));
    setSentTo(text('email'));
    setChanging(false);
  }

  return (
    <Section title={t('profile.title')}>
      <dl className="facts">
        <dt>{t('field.username')}</dt>
        <dd>{me.username}</dd>
        <dt>{t('field.email')}</dt>
        <dd>{me.email ?? <span className="muted">{t('account.noEmail')}</span>}</dd>
        {me.roles.length > 0 && (
          <>
            <dt>{t('account.roles')}</dt>
            <dd>{me.roles.join(', ')}</dd>
          </>
        )}
      </dl>
      <p className="muted">{t('account.since', { day: day(me.created) })}</p>
      <Said>{sentTo && t('profile.sent', { email: sentTo })}</Said>
      {mail && !changing && <Button onClick={() => setChanging(true)}>{t('profile.changeEmail')}</Button>}
      {changing && (
        <Form submit={t('profile.sendLink')} send={send} onCancel={() => setChanging(false)}>
          <EmailField autoFocus label={t('profile.newEmail')} />
          <Proof me={me} />
        </Form>
      )}
    </Section>
  );
}
