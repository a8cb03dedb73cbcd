// Owns making an invitation, mailing it with a note, and showing its code, which the server sends only once.

import { useId, useState } from 'react';
import { adminApi } from '../../api/endpoints';
import type { NewInvitation } from '../../api/types';
import { useConfig } from '../../config';
import { useLanguage } from '../../i18n';
import { Button } from '../../ui/button';
import { EmailField } from '../../ui/field';
import { Form } from '../../ui/form';
import { Outcome } from '../../ui/outcome';
import { Secret } from '../../ui/secret';
import { Section } from '../../ui/section';
import { parseRoles } from './roles';
import { Roles } from './user-roles';

// The server's limit, in characters.
const MAX_NOTE = 500;

interface Props {
  made: NewInvitation | null;
  // Whether the one before was used or has expired.
  gone: boolean;
  onMade: (made: NewInvitation | null) => void;
}

export function Invite({ made, gone, onMade }: Props) {
  const { t } = useLanguage();
  const { mail, registration } = useConfig();
  const [mailedTo, setMailedTo] = useState('');

  async function send(text: (name: string) => string) {
    const email = text('email').trim();
    const invitation = await adminApi.invite(parseRoles(text('roles')), Number(text('days')), email, text('note').trim());
    setMailedTo(email);
    onMade(invitation);
  }

  return (
    <Section title={t('invite.new')}>
      {made ? <Made invitation={made} email={mailedTo} onClose={() => onMade(null)} /> : (
        <>
          {gone && <Outcome>{t('invite.gone')}</Outcome>}
          <p>{t('invite.text')}</p>
          <Form submit={t('invite.submit')} send={send}>
            <Roles optional />
            <Lifespan />
            {mail && registration === 'invite' && (
              <>
                <EmailField
                  label={`${t('field.email')} (${t('field.optional')})`}
                  hint={t('invite.emailHint')}
                  required={false}
                  autoComplete="off"
                />
                <Note />
              </>
            )}
          </Form>
        </>
      )}
    </Section>
  );
}

function Lifespan() {
  const { t } = useLanguage();
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{t('invite.days')}</label>
      <select id={id} name="days" defaultValue="7">
        <option value="1">{t('invite.day')}</option>
        <option value="7">{t('invite.week')}</option>
        <option value="30">{t('invite.month')}</option>
      </select>
    </div>
  );
}

function Note() {
  const { t } = useLanguage();
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{`${t('invite.note')} (${t('field.optional')})`}</label>
      <textarea id={id} name="note" rows={3} maxLength={MAX_NOTE} aria-describedby={`${id}-hint`} />
      <p id={`${id}-hint`} className="hint">{t('invite.noteHint', { n: MAX_NOTE })}</p>
    </div>
  );
}

interface MadeProps {
  invitation: NewInvitation;
  // The address that it is mailed to, or nothing.
  email: string;
  onClose: () => void;
}

function Made({ invitation: { code, expires }, email, onClose }: MadeProps) {
  const { t, when } = useLanguage();
  return (
    <>
      <Outcome>
        {email && `${t('invite.mailed', { email })} `}
        {t('invite.made', { when: when(expires) })}
      </Outcome>
      <Secret label={t('invite.link')} value={`${location.origin}/register?invitation=${encodeURIComponent(code)}`} />
      <Secret label={t('invite.code')} value={code} />
      <Button onClick={onClose}>{t('form.close')}</Button>
    </>
  );
}
