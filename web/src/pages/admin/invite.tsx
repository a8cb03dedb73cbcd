// Owns making an invitation and showing its code, which the server sends only once.

import { useId, useState } from 'react';
import { adminApi } from '../../api/endpoints';
import type { NewInvitation } from '../../api/types';
import { useLanguage } from '../../i18n';
import { Button } from '../../ui/button';
import { Field } from '../../ui/field';
import { Form } from '../../ui/form';
import { Secret } from '../../ui/secret';
import { Section } from '../../ui/section';
import { parseRoles } from './roles';

export function Invite({ onMade }: { onMade: () => void }) {
  const { t } = useLanguage();
  const [made, setMade] = useState<NewInvitation | null>(null);

  async function send(text: (name: string) => string) {
    setMade(await adminApi.invite(parseRoles(text('roles')), Number(text('days'))));
    onMade();
  }

  return (
    <Section title={t('invite.new')}>
      {made ? <Made invitation={made} onClose={() => setMade(null)} /> : (
        <>
          <p>{t('invite.text')}</p>
          <Form submit={t('invite.submit')} send={send}>
            <Field
              name="roles"
              label={`${t('invite.roles')} (${t('field.optional')})`}
              hint={t('user.rolesHint')}
              required={false}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
            />
            <Lifespan />
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

function Made({ invitation: { code, expires }, onClose }: { invitation: NewInvitation; onClose: () => void }) {
  const { t, when } = useLanguage();
  return (
    <>
      <Secret label={t('invite.link')} value={`${location.origin}/register?invitation=${encodeURIComponent(code)}`} />
      <Secret label={t('invite.code')} value={code} />
      <p className="hint" role="status">{t('invite.made', { when: when(expires) })}</p>
      <Button onClick={onClose}>{t('form.close')}</Button>
    </>
  );
}
