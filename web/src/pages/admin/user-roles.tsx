// Owns the roles of a user. The server says which rule forbids a change; giving up one's own role of an
// administrator is asked first.

import { useState } from 'react';
import { adminApi } from '../../api/endpoints';
import { useLanguage } from '../../i18n';
import { Confirm } from '../../ui/confirm';
import { Field } from '../../ui/field';
import { Form } from '../../ui/form';
import { Said } from '../../ui/notice';
import { Section } from '../../ui/section';
import { parseRoles } from './roles';
import type { UserProps } from './user';

export function UserRoles({ user, self, onChange }: UserProps) {
  const { t } = useLanguage();
  const [saved, setSaved] = useState(false);
  // The roles without `admin` that wait for the answer.
  const [asked, setAsked] = useState<string[] | null>(null);
  // Counts what was not saved after all: the field then shows the roles of the user again.
  const [kept, setKept] = useState(0);

  async function save(roles: string[]) {
    await adminApi.setRoles(user.id, roles);
    setAsked(null);
    setSaved(true);
    onChange();
  }

  function keep() {
    setAsked(null);
    setKept(before => before + 1);
  }

  async function send(text: (name: string) => string) {
    setSaved(false);
    const roles = parseRoles(text('roles'));
    if (self && !roles.includes('admin')) setAsked(roles);
    else await save(roles);
  }

  return (
    <Section title={t('account.roles')}>
      <Form submit={t('form.save')} send={send} places={{ LastAdmin: 'roles' }}>
        <Roles key={kept} value={user.roles} />
      </Form>
      <Said>{saved && t('user.rolesSaved')}</Said>
      {asked && (
        <Confirm
          title={t('user.giveUp')}
          text={t('user.giveUpText')}
          submit={t('user.giveUp')}
          send={() => save(asked)}
          onClose={keep}
        />
      )}
    </Section>
  );
}

// The field for roles, separated by commas.
export function Roles({ value = [], optional = false }: { value?: string[]; optional?: boolean }) {
  const { t } = useLanguage();
  const label = t('account.roles');
  return (
    <Field
      name="roles"
      label={optional ? `${label} (${t('field.optional')})` : label}
      hint={t('user.rolesHint')}
      required={false}
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
      defaultValue={value.join(', ')}
    />
  );
}
