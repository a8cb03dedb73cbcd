// Owns the request for a link that sets a new password.

import { useState } from 'react';
import { api } from '../api/endpoints';
import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { Link, navigate } from '../router';
import { EmailField } from '../ui/field';
import { Form } from '../ui/form';
import { Page } from '../ui/page';
import { mailTo } from './check-mail';

// What was typed at the login.
let carried = '';

export function carryEmail(email: string) {
  carried = email;
}

export function Forgot() {
  const { t } = useLanguage();
  const { mail } = useConfig();
  const [email] = useState(carried);

  async function send(text: (name: string) => string) {
    await api.reset(text('email'));
    mailTo({ email: text('email') });
    navigate('/check-mail');
  }

  return (
    <Page title={t('forgot.title')} narrow>
      <p className="intro">{t(mail ? 'forgot.intro' : 'forgot.noMail')}</p>
      {mail && <Form submit={t('forgot.submit')} send={send}><EmailField autoFocus defaultValue={email} /></Form>}
      <p className="aside"><Link to="/login">{t('mail.toLogin')}</Link></p>
    </Page>
  );
}
