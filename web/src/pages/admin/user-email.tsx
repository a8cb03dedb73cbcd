// Owns changing the e-mail address of a user, without a confirmation.

import { useState } from 'react';
import { adminApi } from '../../api/endpoints';
import { useLanguage } from '../../i18n';
import { EmailField } from '../../ui/field';
import { Form } from '../../ui/form';
import { Said } from '../../ui/notice';
import { Section } from '../../ui/section';
import type { UserProps } from './user';

export function UserEmail({ user, onChange }: UserProps) {
  const { t } = useLanguage();
  const [saved, setSaved] = useState<string | null>(null);

  async function send(text: (name: string) => string) {
    setSaved(null);
    const email = text('email').trim();
    await adminApi.setEmail(user.id, email);
    setSaved(email);
    onChange();
  }

  return (
    <Section title={t('field.email')}>
      <p>{t('user.emailText', { name: user.username })}</p>
      <Form submit={t('form.save')} send={send}>
        <EmailField required={false} autoComplete="off" defaultValue={user.email ?? ''} />
      </Form>
      <Said>{saved !== null && (saved ? t('user.emailSaved', { email: saved }) : t('user.emailGone'))}</Said>
    </Section>
  );
}
