// Owns turning the second factor on: password, QR code, and a first code as a check.

import { useState } from 'react';
import { api } from '../../api/endpoints';
import type { Enrolment } from '../../api/types';
import { useLanguage } from '../../i18n';
import { CodeField, PasswordField } from '../../ui/field';
import { Form } from '../../ui/form';
import { Secret } from '../../ui/secret';

interface Props {
  onDone: (recoveryCodes: string[]) => void;
  // Left out where the page has nothing else; cancelling then leads back to the first step.
  onCancel?: () => void;
}

export function Enrol({ onDone, onCancel }: Props) {
  const { t } = useLanguage();
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null);

  if (!enrolment) {
    return (
      <Form
        key="password"
        submit={t('factor.continue')}
        send={async text => setEnrolment(await api.enrol(text('password')))}
        onCancel={onCancel}
      >
        <PasswordField label={t('field.currentPassword')} hint={t('factor.passwordFirst')} autoFocus />
      </Form>
    );
  }
  return (
    <Form
      key="code"
      submit={t('factor.turnOn')}
      send={async text => onDone((await api.confirmEnrolment(text('otp'))).recovery_codes)}
      onCancel={onCancel ?? (() => setEnrolment(null))}
    >
      <p>{t('factor.scan')}</p>
      {/* An image element runs no script that an SVG may contain. */}
      <img className="qr" width="208" height="208" alt={t('factor.qr')} src={`data:image/svg+xml,${encodeURIComponent(enrolment.qr)}`} />
      {enrolment.uri.startsWith('otpauth:') && <p><a href={enrolment.uri}>{t('factor.open')}</a></p>}
      <Secret label={t('factor.key')} value={enrolment.secret} grouped />
      <CodeField digits autoFocus hint={t('factor.confirm')} />
    </Form>
  );
}
