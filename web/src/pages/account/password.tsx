// Owns changing the password.

import { useState } from 'react';
import { api } from '../../api/endpoints';
import type { Me } from '../../api/types';
import { useLanguage } from '../../i18n';
import { Button } from '../../ui/button';
import { PasswordField, Tick } from '../../ui/field';
import { Form } from '../../ui/form';
import { Said } from '../../ui/notice';
import { Section } from '../../ui/section';
import { CodeIfOn } from './proof';

const PLACES = { WrongPassword: 'current', InvalidPassword: 'new' };

interface Props {
  me: Me;
  // Whether the account has some.
  appPasswords: boolean;
  // All other sessions have ended.
  onChanged: () => void;
}

export function Password({ me, appPasswords, onChanged }: Props) {
  const { t } = useLanguage();
  const [changing, setChanging] = useState(false);
  const [done, setDone] = useState(false);

  async function send(text: (name: string) => string) {
    await api.changePassword(text('current'), text('new'), text('otp'), text('keep') === 'on');
    setDone(true);
    setChanging(false);
    onChanged();
  }

  return (
    <Section title={t('password.title')}>
      <p>{t('password.text')}</p>
      <Said>{done && t('password.done')}</Said>
      {changing ? (
        <Form submit={t('password.change')} send={send} places={PLACES} onCancel={() => setChanging(false)}>
          {/* The username, for password managers. */}
          <input type="text" name="username" autoComplete="username" value={me.username} readOnly hidden />
          <PasswordField name="current" label={t('field.currentPassword')} autoFocus />
          <PasswordField name="new" fresh />
          <CodeIfOn me={me} />
          {appPasswords && <Tick name="keep" label={t('password.keep')} hint={t('password.keepHint')} />}
        </Form>
      ) : (
        <Button onClick={() => { setDone(false); setChanging(true); }}>{t('password.change')}</Button>
      )}
    </Section>
  );
}
