// Owns the step that asks for the second factor, after the password: a code of the authenticator app, or a
// recovery code instead.

import { useState } from 'react';
import { useLanguage } from '../i18n';
import { Button } from '../ui/button';
import { CodeField } from '../ui/field';
import { Form } from '../ui/form';
import { Page } from '../ui/page';

interface Props {
  submit: string;
  send: (otp: string) => Promise<void>;
  onBack: () => void;
  cancel?: string;
  // As in `Form`.
  words?: Record<string, string>;
  places?: Record<string, string>;
}

export function CodeStep({ send, onBack, ...form }: Props) {
  const { t } = useLanguage();
  const [recovery, setRecovery] = useState(false);
  const step = recovery ? 'recovery' : 'app';
  return (
    <Page title={t('code.title')} narrow>
      <Form key={step} {...form} send={text => send(text('otp'))} onCancel={onBack}>
        <CodeField
          autoFocus
          digits={!recovery}
          label={t(recovery ? 'code.recoveryLabel' : 'code.label')}
          hint={t(recovery ? 'code.recoveryIntro' : 'code.intro')}
        />
      </Form>
      <p className="aside">
        <Button look="link" onClick={() => setRecovery(!recovery)}>{t(recovery ? 'code.useApp' : 'code.useRecovery')}</Button>
      </p>
    </Page>
  );
}
